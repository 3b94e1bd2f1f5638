package forum

import (
	"regexp"
	"strings"

	"github.com/pursuing-equity/commons/internal/notify"
)

var reference = regexp.MustCompile(`(?:href|src)="([^"]*)"`)

// weigh returns a function that counts what a text has of which those who are new have little: links, but for those to this server, and
// members, teams and roles that it calls.
func (s *Service) weigh(body string) func() (links, mentions int) {
	return func() (links, mentions int) {
		home := strings.TrimRight(s.PublicURL, "/")
		for _, link := range reference.FindAllStringSubmatch(s.Markdown.HTML(body), -1) {
			if home == "" || link[1] != home && !strings.HasPrefix(link[1], home+"/") {
				links++
			}
		}
		call := notify.Called(body)
		mentions = len(call.Handles) + len(call.Teams)
		for _, all := range []bool{call.Everyone, call.Facilitators} {
			if all {
				mentions++
			}
		}
		return links, mentions
	}
}
