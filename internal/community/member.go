package community

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/searchdocument"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/file"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// ProfilePatch is what to change of the viewer's own profile; nil leaves a field as it is.
type ProfilePatch struct {
	Name, Handle, Pronouns, Title, About, AvatarURL, TimeZone *string
	Expertise, Interests                                      *[]string
	ShowsPresence                                             *bool
	AvatarFileID                                              *gid.ID // an uploaded picture of the viewer's own, or zero for none
}

const (
	maxPerson    = 120
	maxPronouns  = 60
	maxExpertise = 20
	maxExpert    = 60
	maxInterests = 20
	maxInterest  = 40
)

// handle is what follows an @: internal/notify finds exactly these in a text.
var handle = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,38}[a-z0-9]$`)

// check returns the patch as it is stored.
func (p ProfilePatch) check() (ProfilePatch, error) {
	var c input.Checker
	p.Name = line(&c, "name", p.Name, 1, maxPerson)
	if p.Handle != nil && notify.Reserved(*p.Handle) {
		c.Refuse("handle", "This word calls many: it is nobody's handle.")
	} else if p.Handle != nil && !handle.MatchString(*p.Handle) {
		c.Refuse("handle", "A handle has 2 to 40 lower-case letters, digits, dots, hyphens and underscores, and begins and ends with a letter or a digit.")
	}
	p.Pronouns = line(&c, "pronouns", p.Pronouns, 0, maxPronouns)
	p.Title = line(&c, "title", p.Title, 0, maxTitle)
	p.About = text(&c, "about", p.About, maxAbout)
	if p.AvatarURL != nil {
		p.AvatarURL = new(c.URL("avatarUrl", *p.AvatarURL))
		if *p.AvatarURL != "" && !strings.HasPrefix(*p.AvatarURL, "https://") {
			c.Refuse("avatarUrl", "This must be an https URL.")
		}
	}
	if p.TimeZone != nil {
		if _, err := time.LoadLocation(*p.TimeZone); err != nil || *p.TimeZone == "" || *p.TimeZone == "Local" {
			c.Refuse("timeZone", "This must be a name in the IANA database: America/New_York.")
		}
	}
	p.Expertise = topics(&c, "expertise", p.Expertise, maxExpertise, maxExpert)
	p.Interests = topics(&c, "interests", p.Interests, maxInterests, maxInterest)
	return p, c.Err()
}

// topics checks a list of topics, each of at most longest characters.
func topics(c *input.Checker, path string, given *[]string, most, longest int) *[]string {
	if given == nil {
		return nil
	}
	list := make([]string, len(*given))
	for i, t := range *given {
		list[i] = c.Line(path+"."+strconv.Itoa(i), t, 1, longest)
	}
	if len(list) > most {
		c.Refuse(path, "Name at most %d.", most)
	}
	return &list
}

func (p ProfilePatch) apply(m *ent.MemberMutation) {
	set(p.Name, m.SetName)
	set(p.Handle, m.SetHandle)
	set(p.Pronouns, m.SetPronouns)
	set(p.Title, m.SetTitle)
	set(p.About, m.SetAbout)
	set(p.AvatarURL, m.SetAvatarURL)
	set(p.TimeZone, m.SetTimeZone)
	set(p.Expertise, m.SetExpertise)
	set(p.Interests, m.SetInterests)
	set(p.ShowsPresence, m.SetShowsPresence)
}

// UpdateProfile changes the viewer's own profile. It returns ALREADY_EXISTS for a handle that somebody else has, and NOT_FOUND for a
// picture that is not the viewer's own.
func (s *Service) UpdateProfile(ctx context.Context, v viewer.Viewer, patch ProfilePatch) (*ent.Member, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	p, err := patch.check()
	if err != nil {
		return nil, err
	}
	err = s.change(ctx, v, func(ctx context.Context, tx *ent.Client) error {
		if p.Handle != nil {
			taken, err := tx.Member.Query().Where(member.Handle(*p.Handle), member.IDNEQ(me)).Exist(ctx)
			if err != nil {
				return fmt.Errorf("look for the handle: %w", err)
			}
			if taken {
				return exists("handle", "Somebody has this handle.")
			}
		}
		// Again, now under the member's lock: the account may have been closed or erased since the request was signed in.
		switch active, err := tx.Member.Query().Where(member.ID(me), access.ActiveMembers(), store.LockRow).Select(member.FieldID).All(ctx); {
		case err != nil:
			return fmt.Errorf("hold the member: %w", err)
		case len(active) == 0:
			return fault.New(fault.Unauthenticated, "This account is closed.")
		}
		if p.AvatarFileID != nil {
			err := file.ReplaceAvatar(ctx, tx, me, *p.AvatarFileID, s.Now())
			if f, ok := errors.AsType[*fault.Error](err); ok {
				return f.At("avatarFileId")
			}
			if err != nil {
				return err
			}
		}
		u := tx.Member.UpdateOneID(me).SetUpdatedAt(s.Now())
		p.apply(u.Mutation())
		m, err := u.Save(ctx)
		if err != nil {
			return store.RetryOnConflict(err)
		}
		return IndexMember(ctx, tx, m)
	})
	if err != nil {
		return nil, err
	}
	return reload[ent.Member](ctx, s, v, me)
}

// IndexMember makes a member found by name, title, text, expertise and interests, within the transaction of the change.
func IndexMember(ctx context.Context, tx *ent.Client, m *ent.Member) error {
	if err := IndexTerms(ctx, tx, m); err != nil {
		return err
	}
	body := words(slices.Concat([]string{m.Title, m.About}, m.Expertise, m.Interests)...)
	return store.Index(ctx, tx, store.Document{Kind: searchdocument.KindMEMBER, Object: m.ID, Title: m.Name, Body: body})
}

// Emails are the members' addresses, nil where they are not for the viewer to see.
func (s *Service) Emails(ctx context.Context, v viewer.Viewer, members []*ent.Member) ([]*string, error) {
	actor, err := access.Load(ctx, s.Store.Client(ctx), v)
	if err != nil {
		return nil, err
	}
	emails := make([]*string, len(members))
	for i, m := range members {
		if actor.CanSeeAccount(m.ID) {
			emails[i] = &m.Email
		}
	}
	return emails, nil
}

// ids are the ids of rows.
func ids[T any](rows []*T, id func(*T) gid.ID) []gid.ID {
	out := make([]gid.ID, len(rows))
	for i, row := range rows {
		out[i] = id(row)
	}
	return out
}
