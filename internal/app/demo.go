package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/demo"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// LoadDemo fills an empty database with the real program, at a scale, as it is looked at today. It returns demo.ErrNotEmpty when there is a program already.
func (a *App) LoadDemo(ctx context.Context, scale int, seed uint64) error {
	world, err := demo.Generate(demo.Options{Scale: scale, Seed: seed, Today: a.Config.Now()})
	if err != nil {
		return err
	}
	return demo.Load(viewer.NewContext(ctx, viewer.System("demo data")), a.Store, world, a.Markdown.HTML)
}

// DemoTokens returns an access token for each demo member, by mail address. They are kept in the data directory, so that they
// stay the same from start to start.
func (a *App) DemoTokens(ctx context.Context) (map[string]string, error) {
	path := filepath.Join(a.Config.DataDir, "demo-tokens.json")
	tokens := make(map[string]string)
	text, err := os.ReadFile(path) //nolint:gosec // the operator's own directory
	if err == nil {
		err = json.Unmarshal(text, &tokens)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	changed := false
	for _, account := range demo.Accounts() {
		email := account + "@" + demo.AccountDomain
		if _, _, err := a.Accounts.SignIn(ctx, tokens[email], ""); err == nil {
			continue
		}
		if tokens[email], err = a.Accounts.Issue(viewer.NewContext(ctx, viewer.System("demo tokens")), email, "demo", accesstoken.ScopeWRITE, 0); err != nil {
			return nil, fmt.Errorf("token for %s: %w", email, err)
		}
		changed = true
	}
	if !changed {
		return tokens, nil
	}
	if text, err = json.MarshalIndent(tokens, "", "  "); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(a.Config.DataDir, 0o750); err != nil {
		return nil, err
	}
	return tokens, os.WriteFile(path, text, 0o600)
}

// DemoPassword is that of every demo member. It is in this file for everybody to read: it is for demo data only.
const DemoPassword = "a table set for everyone" //nolint:gosec // no secret: printed at every start with demo data

// SetDemoPasswords gives the demo members their password, unless they have one.
func (a *App) SetDemoPasswords(ctx context.Context) error {
	ctx = viewer.NewContext(ctx, viewer.System("demo passwords"))
	emails := make([]string, 0, len(demo.Accounts()))
	for _, account := range demo.Accounts() {
		emails = append(emails, account+"@"+demo.AccountDomain)
	}
	if err := a.Accounts.SetFirstPasswords(ctx, emails, DemoPassword); err != nil {
		return fmt.Errorf("demo passwords: %w", err)
	}
	return nil
}

// ExampleThread is the network's liveliest thread, for the explorer's first example; empty when there is none.
func (a *App) ExampleThread(ctx context.Context) (string, error) {
	ctx = viewer.NewContext(ctx, viewer.System("example for the explorer"))
	t, err := a.Store.Client(ctx).Thread.Query().
		Where(thread.HasSpaceWith(space.KindEQ(space.KindNETWORK)), thread.Locked(false)).
		Order(ent.Desc(thread.FieldLastActivityAt)).First(ctx)
	if ent.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return t.ID.String(), nil
}
