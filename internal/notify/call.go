package notify

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pursuing-equity/commons/internal/gid"
)

// Call is whom a text calls. A text in code calls nobody.
//
//   - @ada calls the member with that handle.
//   - @[Rivers Quality Team](tea_01…) calls the current members of a team. The words are for the reader and may be any; the id counts.
//   - @facilitators calls those who look after the space, @everyone all who belong to it. Only the word of those who moderate the
//     space calls everyone; of others it calls nobody.
//
// The two words are never handles: Reserved.
type Call struct {
	Handles                []string
	Teams                  []gid.ID
	Facilitators, Everyone bool
}

const (
	facilitators = "facilitators"
	everyone     = "everyone"

	// maxMentions is how many people one post can call by name, and how many teams.
	maxMentions = 20
)

var (
	mention     = regexp.MustCompile(`(?:^|[^\w@./])@([a-z0-9][a-z0-9._-]{1,39})`)
	teamMention = regexp.MustCompile(`@\[[^\[\]\n]{1,200}\]\((tea_[0-9a-z]{26})\)`)
	// anyMention is mention without regard to case and to what stands before: a handle in code calls nobody, but is a handle.
	anyMention = regexp.MustCompile(`(?i)@([a-z0-9][a-z0-9._-]{1,39})`)
	code       = regexp.MustCompile("(?s)```.*?(?:```|$)|`[^`\n]*`")
)

// Reserved reports whether a word calls many, so that no member can have it as a handle.
func Reserved(handle string) bool { return handle == facilitators || handle == everyone }

// Called reads whom a text calls. A dot or hyphen at the end of a handle belongs to the sentence.
func Called(body string) Call {
	var c Call
	text := code.ReplaceAllString(strings.ToLower(body), " ")
	text = teamMention.ReplaceAllStringFunc(text, func(m string) string {
		id, err := gid.Parse(teamMention.FindStringSubmatch(m)[1])
		if err == nil && id.Kind() == gid.Team && !slices.Contains(c.Teams, id) && len(c.Teams) < maxMentions {
			c.Teams = append(c.Teams, id)
		}
		return " "
	})
	for _, m := range mention.FindAllStringSubmatch(text, -1) {
		switch h := strings.TrimRight(m[1], ".-_"); {
		case h == facilitators:
			c.Facilitators = true
		case h == everyone:
			c.Everyone = true
		case !slices.Contains(c.Handles, h) && len(c.Handles) < maxMentions:
			c.Handles = append(c.Handles, h)
		}
	}
	return c
}
