package roster

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/affiliation"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/tally"
)

// members makes and changes the file's members.
func (i *importer) members() error {
	said := i.roster.Members
	emails := make([]string, len(said))
	for n, m := range said {
		emails[n] = m.Email
	}
	existing, err := find(emails, func(part []string) ([]*ent.Member, error) {
		return i.tx.Member.Query().Where(member.EmailIn(part...)).All(i.ctx)
	})
	if err != nil {
		return fmt.Errorf("find members: %w", err)
	}
	byEmail := make(map[string]*ent.Member, len(existing))
	for _, m := range existing {
		byEmail[m.Email] = m
	}
	i.memberIDs, i.newMember = make([]gid.ID, len(said)), make([]bool, len(said))
	var fresh []int
	for n, m := range said {
		have, ok := byEmail[m.Email]
		if !ok {
			i.memberIDs[n], i.newMember[n] = i.options.NewID(gid.Member), true
			fresh = append(fresh, n)
			continue
		}
		i.memberIDs[n] = have.ID
		if have.Status != member.StatusACTIVE {
			i.problems.add(m.Line, colEmail, "the member %q is %s", m.Email, strings.ToLower(string(have.Status)))
			continue
		}
		if err := i.changeMember(m, have); err != nil {
			return err
		}
	}
	return i.createMembers(fresh)
}

func (i *importer) changeMember(said Member, have *ent.Member) error {
	if have.Pronouns != "" {
		said.Pronouns = ""
	}
	var diff []string
	diff = difference(diff, "name", have.Name, said.Name)
	diff = difference(diff, "title", have.Title, said.Title)
	diff = difference(diff, "pronouns", have.Pronouns, said.Pronouns)
	i.report.compared(said.Line, "member", said.Email, diff)
	if len(diff) == 0 {
		return nil
	}
	name, title := cmp.Or(said.Name, have.Name), cmp.Or(said.Title, have.Title)
	i.searchable.member(have.ID, name, title, have.About, have.Expertise)
	err := have.Update().SetName(name).SetTitle(title).SetPronouns(cmp.Or(said.Pronouns, have.Pronouns)).SetUpdatedAt(i.now).Exec(i.ctx)
	if err != nil {
		return fmt.Errorf("change member %s: %w", have.ID, err)
	}
	return nil
}

// createMembers makes new members, each with a handle that is free.
func (i *importer) createMembers(fresh []int) error {
	handles := make([]string, len(fresh))
	for k, n := range fresh {
		m := i.roster.Members[n]
		local, _, _ := strings.Cut(m.Email, "@")
		if handles[k] = community.HandleOf(m.Name); handles[k] == "" {
			if handles[k] = community.HandleOf(local); handles[k] == "" {
				handles[k] = "member"
			}
		}
	}
	taken := map[string]bool{}
	err := inChunks(handles, func(part []string) error {
		found, err := i.tx.Member.Query().Where(member.HandleIn(part...)).Select(member.FieldHandle).Strings(i.ctx)
		for _, h := range found {
			taken[h] = true
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("find handles: %w", err)
	}
	builders := make([]*ent.MemberCreate, len(fresh))
	for k, n := range fresh {
		m, id, h := i.roster.Members[n], i.memberIDs[n], handles[k]
		if taken[h] || notify.Reserved(h) {
			// A number would have to be looked for; characters out of the id's random part are free.
			s := id.String()
			h += "-" + s[len(s)-10:len(s)-4]
		}
		taken[h] = true
		builders[k] = i.tx.Member.Create().SetID(id).SetCreatedAt(i.now).SetUpdatedAt(i.now).SetEmail(m.Email).SetHandle(h).SetName(m.Name).
			SetPronouns(m.Pronouns).SetTitle(m.Title).SetTimeZone(m.TimeZone)
		i.report.created(m.Line, "member", m.Email)
		i.searchable.member(id, m.Name, m.Title, "", nil)
	}
	return create(i.ctx, "members", builders, i.tx.Member.CreateBulk)
}

// affiliations gives members a post at the organizations whose teams they are in.
func (i *importer) affiliations() error {
	existing, err := find(i.memberIDs, func(part []gid.ID) ([]*ent.Affiliation, error) {
		return i.tx.Affiliation.Query().Where(affiliation.MemberIDIn(part...)).All(i.ctx)
	})
	if err != nil {
		return fmt.Errorf("find affiliations: %w", err)
	}
	current, primary := map[[2]gid.ID]*ent.Affiliation{}, map[gid.ID]bool{}
	for _, a := range existing {
		if a.EndsOn == nil {
			current[[2]gid.ID{a.MemberID, a.OrganizationID}] = a
		}
		if a.IsPrimary {
			primary[a.MemberID] = true
		}
	}
	var builders []*ent.AffiliationCreate
	for n, m := range i.roster.Members {
		id := i.memberIDs[n]
		for _, o := range m.Organizations {
			name := m.Email + " at " + i.roster.Organizations[o].Name
			have, ok := current[[2]gid.ID{id, i.organizationIDs[o]}]
			if !ok {
				builders = append(builders, i.tx.Affiliation.Create().SetID(i.options.NewID(gid.Affiliation)).SetCreatedAt(i.now).SetMemberID(id).
					SetOrganizationID(i.organizationIDs[o]).SetTitle(m.Title).SetIsPrimary(!primary[id]))
				primary[id] = true
				i.report.created(m.Line, "affiliation", name)
				continue
			}
			var diff []string
			if len(m.Organizations) == 1 { // with more, the title may be that of any of the posts
				diff = difference(diff, "title", have.Title, m.Title)
			}
			i.report.compared(m.Line, "affiliation", name, diff)
			if len(diff) == 0 {
				continue
			}
			if err := have.Update().SetTitle(m.Title).Exec(i.ctx); err != nil {
				return fmt.Errorf("change affiliation %s: %w", have.ID, err)
			}
		}
	}
	if err := create(i.ctx, "affiliations", builders, i.tx.Affiliation.CreateBulk); err != nil {
		return err
	}
	return tally.ReviewedBy(i.ctx, i.tx, i.memberIDs...)
}
