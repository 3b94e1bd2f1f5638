package file

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/file"
	entmember "github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// avatarName is what the links of avatars call them: what they are really called takes a look at the database.
const avatarName = "avatar"

// URL is a link to a file. It is good for one hour at least and two at most, for whoever has it: it says nothing of who asked for
// it, and is the same for an hour, so that browsers keep what they have.
func (s *Service) URL(ctx context.Context, f *ent.File) (string, error) {
	return s.link(ctx, f.ID, f.Name)
}

// AvatarURL is where a member's picture is: an uploaded one goes before one elsewhere. Nil for none.
func (s *Service) AvatarURL(ctx context.Context, m *ent.Member) (*string, error) {
	switch {
	case m.AvatarFileID != nil:
		link, err := s.link(ctx, *m.AvatarFileID, avatarName)
		return &link, err
	case m.AvatarURL != "":
		return &m.AvatarURL, nil
	default:
		return nil, nil //nolint:nilnil // a member without a picture
	}
}

// personalGood is for how long a link is good that is somebody's own.
const personalGood = 15 * time.Minute

// PersonalURL is a link to a file for the viewer alone: it is good for 15 minutes, as long as the viewer can see the file. Files of applications
// have no other ones.
func (s *Service) PersonalURL(ctx context.Context, v viewer.Viewer, f *ent.File) (string, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return "", err
	}
	key, err := s.key(ctx)
	if err != nil {
		return "", err
	}
	expires := strconv.FormatInt(s.Now().Add(personalGood).Unix(), 10)
	return strings.TrimSuffix(s.PublicURL, "/") + "/files/" + f.ID.String() + "/" + url.PathEscape(f.Name) + "?for=" + me.String() +
		"&expires=" + expires + "&signature=" + signature(key, f.ID.String(), f.Name, me.String(), expires), nil
}

// whose says which files a link leads to: one that is a member's own to what that member can see now, and any other one to what is no
// application's. It returns NOT_FOUND when there is no such active member.
func (s *Service) whose(ctx context.Context, member string) (predicate.File, error) {
	if member == "" {
		return file.Not(access.FilesOfApplications()), nil
	}
	id, err := gid.Parse(member)
	if err != nil {
		return nil, fault.Missing()
	}
	active, err := s.Store.Client(ctx).Member.Query().Where(entmember.ID(id), access.ActiveMembers()).Exist(ctx)
	if err != nil {
		return nil, fmt.Errorf("load whose link it is: %w", err)
	}
	if !active {
		return nil, fault.Missing()
	}
	return access.VisibleFiles(viewer.Member(id, gid.ID{}, viewer.Read)), nil
}

func (s *Service) link(ctx context.Context, id gid.ID, name string) (string, error) {
	key, err := s.key(ctx)
	if err != nil {
		return "", err
	}
	expires := strconv.FormatInt(s.Now().Truncate(time.Hour).Add(2*time.Hour).Unix(), 10)
	return strings.TrimSuffix(s.PublicURL, "/") + "/files/" + id.String() + "/" + url.PathEscape(name) +
		"?expires=" + expires + "&signature=" + signature(key, id.String(), name, "", expires), nil
}

// admits reports whether a signature is ours, for exactly this, and still good.
func (s *Service) admits(ctx context.Context, id, name, member, expires, given string) (bool, error) {
	key, err := s.key(ctx)
	if err != nil {
		return false, err
	}
	until, err := strconv.ParseInt(expires, 10, 64)
	good := hmac.Equal([]byte(given), []byte(signature(key, id, name, member, expires)))
	return good && err == nil && s.Now().Unix() < until, nil
}

// signature signs a link: HMAC-SHA-256 in base64, over parts of which none but the name can hold a line's end, and the name last.
// One that is a member's own begins otherwise.
func signature(key []byte, id, name, member, expires string) string {
	mac := hmac.New(sha256.New, key)
	begin := "GET /files\n"
	if member != "" {
		begin = "GET /files for\n" + member + "\n"
	}
	_, _ = mac.Write([]byte(begin + id + "\n" + expires + "\n" + name)) // never fails
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// key is what links are signed with, the same in all processes.
func (s *Service) key(ctx context.Context) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.secret == nil {
		secret, err := s.Store.Secret(ctx, "files")
		if err != nil {
			return nil, err
		}
		s.secret = secret
	}
	return s.secret, nil
}
