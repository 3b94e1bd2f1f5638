package demo

import (
	"embed"
	"fmt"
	"slices"
	"strings"
)

// The texts are kept beside the code so that somebody who writes, and does not program, can add to them.
//
//go:embed topics/*.txt generic.txt
var texts embed.FS

// topic is what a thread is about: sentences by the part that they play in a post.
type topic struct {
	name  string
	rooms []string // kinds of space, in small letters
	staff bool     // opened by the program's staff
	lines map[string][]string
}

// Parts of a post. A topic has all of the first group but links; generic.txt has the second.
const (
	partTitle = "title" // of the thread
	partOpen  = "open"  // begins the first post
	partSay   = "say"
	partAsk   = "ask"
	partTry   = "try" // an item of a list
	partLink  = "link"

	partThanks  = "thanks"
	partHello   = "hello"
	partMention = "mention"
	partList    = "list" // comes before a list
	partQuoted  = "quoted"
	partClose   = "close"
	partShort   = "short"
)

// generic is the name of the topic that fits all others.
const generic = "generic"

// readTopics reads the texts; the generic one comes first, the others by name.
func readTopics() ([]topic, error) {
	entries, err := texts.ReadDir("topics")
	if err != nil {
		return nil, fmt.Errorf("read topics: %w", err)
	}
	paths := []string{generic + ".txt"}
	for _, e := range entries {
		paths = append(paths, "topics/"+e.Name())
	}
	topics := make([]topic, 0, len(paths))
	for _, path := range paths {
		text, err := texts.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read topics: %w", err)
		}
		t, err := parseTopic(strings.TrimSuffix(path[strings.LastIndexByte(path, '/')+1:], ".txt"), string(text))
		if err != nil {
			return nil, fmt.Errorf("read topics: %s: %w", path, err)
		}
		topics = append(topics, t)
	}
	return topics, nil
}

// parseTopic reads lines of the form "part: text".
func parseTopic(name, text string) (topic, error) {
	parts := []string{partTitle, partOpen, partSay, partAsk, partTry, partLink}
	if name == generic {
		parts = []string{partThanks, partHello, partMention, partList, partLink, partQuoted, partClose, partShort}
	}
	t := topic{name: name, lines: map[string][]string{}}
	for i, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		part, value, found := strings.Cut(line, ": ")
		switch {
		case !found:
			return topic{}, fmt.Errorf("line %d: want “part: text”", i+1)
		case part == "rooms":
			t.rooms = strings.Fields(value)
		case part == "staff":
			t.staff = value == "yes"
		case slices.Contains(parts, part):
			t.lines[part] = append(t.lines[part], value)
		default:
			return topic{}, fmt.Errorf("line %d: unknown part %q", i+1, part)
		}
	}
	for _, part := range parts {
		if len(t.lines[part]) == 0 && part != partLink {
			return topic{}, fmt.Errorf("no line of part %q", part)
		}
	}
	return t, nil
}

// fits reports whether people in a kind of space talk about the topic.
func (t topic) fits(kind string) bool { return slices.Contains(t.rooms, strings.ToLower(kind)) }
