package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/ent/webhookdelivery"
	"github.com/pursuing-equity/commons/ent/webhookendpoint"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/mail"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const (
	batch       = 50              // deliveries that are looked at together
	perEndpoint = 4               // that a process sends to one endpoint at once: a slow one keeps no other waiting
	atOnce      = 64              // that it sends at once
	lease       = time.Minute     // for which they are its own; the clocks of processes must agree better than that
	poll        = 5 * time.Second // finds what other processes wrote down, and what is due again

	failingMost = 5 * 24 * time.Hour // for which an endpoint may fail before it is disabled
	maxAnswer   = 1 << 10            // bytes of an answer's body that are read
	maxError    = 300                // characters that are kept of an error
)

// MailDisabled is the template of the mail to staff when an endpoint was disabled: description, host, since.
const MailDisabled = "webhook-disabled"

// waits are the times after each attempt that failed; after the attempt behind the last one there is none.
var waits = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

// Run sends what is due until ctx ends. What is on its way then is broken off, and due again at once.
func (s *Service) Run(ctx context.Context) {
	ctx = viewer.NewContext(ctx, viewer.System("send webhooks"))
	defer s.tasks.Wait()
	polls, tidies := time.NewTicker(poll), time.NewTicker(time.Hour)
	defer polls.Stop()
	defer tidies.Stop()
	do := func(work string, f func(context.Context) error) {
		if err := f(ctx); err != nil && ctx.Err() == nil {
			s.Logger.WarnContext(ctx, "webhooks wait", "work", work, "error", err.Error())
		}
	}
	for {
		if !s.Hold {
			do("send", s.deliver)
		}
		select {
		case <-ctx.Done():
			return
		case <-s.woken:
		case <-polls.C:
		case <-tidies.C:
			do("forget", s.Forget)
		}
	}
}

// deliver begins to send what is due, as much as there is room for.
func (s *Service) deliver(ctx context.Context) error {
	b, err := s.box(ctx)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		taken, err := s.take(ctx)
		if err != nil || len(taken) == 0 {
			return err
		}
		threads, err := s.threads(ctx, taken)
		if err != nil {
			s.leave(taken)
			return err
		}
		for _, d := range taken {
			s.tasks.Go(func() {
				defer s.leave([]*ent.WebhookDelivery{d})
				if err := s.send(ctx, b, d, threads); err != nil {
					s.Logger.WarnContext(ctx, "a webhook's outcome was not written down", "delivery", d.ID, "error", err.Error())
				}
			})
		}
	}
	return nil
}

// take makes deliveries that are due this process's own for a while: of each endpoint only as many as it has room for.
func (s *Service) take(ctx context.Context) (taken []*ent.WebhookDelivery, err error) {
	busy, room := s.enter(nil)
	if room == 0 {
		return nil, nil
	}
	now := s.Now()
	due := webhookdelivery.And(webhookdelivery.NextAtLTE(now), webhookdelivery.Not(page.AnyOf(webhookdelivery.FieldEndpointID, busy)))
	// A look comes first, so that a process with nothing to do never asks for the write lock.
	if some, err := s.Store.Client(ctx).WebhookDelivery.Query().Where(due).Exist(store.Upkeep(ctx)); err != nil || !some {
		return nil, err
	}
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		rows, err := tx.WebhookDelivery.Query().Where(due, store.LockFreeRows).
			Order(webhookdelivery.ByNextAt(), webhookdelivery.ByID()).Limit(batch).WithEndpoint().All(ctx)
		if err != nil || len(rows) == 0 {
			return err
		}
		taken = s.pick(rows, room)
		ids := make([]gid.ID, len(taken))
		for i, d := range taken {
			ids[i] = d.ID
			d.Attempts++
		}
		return tx.WebhookDelivery.Update().Where(page.AnyOf(webhookdelivery.FieldID, ids)).AddAttempts(1).SetNextAt(now.Add(lease)).Exec(ctx)
	})
	if err != nil {
		return nil, fmt.Errorf("take webhook deliveries: %w", err)
	}
	s.enter(taken)
	return taken, nil
}

// pick leaves out what an endpoint has no room for. Only Run takes, so that what it counts stays.
func (s *Service) pick(rows []*ent.WebhookDelivery, room int) (picked []*ent.WebhookDelivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	more := make(map[gid.ID]int)
	for _, d := range rows {
		if len(picked) < room && s.running[d.EndpointID]+more[d.EndpointID] < perEndpoint {
			more[d.EndpointID]++
			picked = append(picked, d)
		}
	}
	return picked
}

// enter counts deliveries that this process begins to send, and returns which endpoints have no room for more and how much there is
// in all.
func (s *Service) enter(begin []*ent.WebhookDelivery) (busy []gid.ID, room int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range begin {
		s.running[d.EndpointID]++
		s.total++
	}
	for id, n := range s.running {
		if n >= perEndpoint {
			busy = append(busy, id)
		}
	}
	return busy, max(0, atOnce-s.total)
}

// leave counts deliveries that ended: there is room for others.
func (s *Service) leave(ended []*ent.WebhookDelivery) {
	s.mu.Lock()
	for _, d := range ended {
		s.total--
		if s.running[d.EndpointID]--; s.running[d.EndpointID] == 0 {
			delete(s.running, d.EndpointID)
		}
	}
	s.mu.Unlock()
	s.Wake()
}

// threads are those that deliveries tell of and that are not hidden by now.
func (s *Service) threads(ctx context.Context, deliveries []*ent.WebhookDelivery) (map[string]*ent.Thread, error) {
	var ids []gid.ID
	for _, d := range deliveries {
		for _, field := range named() {
			if id, err := gid.Parse(text(d, field)); err == nil {
				ids = append(ids, id)
			}
		}
	}
	of := make(map[string]*ent.Thread)
	if len(ids) == 0 {
		return of, nil
	}
	rows, err := s.Store.Client(ctx).Thread.Query().Where(page.AnyOf(thread.FieldID, ids), access.ThreadsInTheOpen()).WithSpace().All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the threads that webhooks tell of: %w", err)
	}
	for _, t := range rows {
		of[t.ID.String()] = t
	}
	return of, nil
}

// named are the fields of deliveries that name a thread.
func named() []string { return []string{"threadId", intoThread, fromThread} }

// text is a field of what a delivery tells.
func text(d *ent.WebhookDelivery, field string) string {
	data, _ := d.Payload["data"].(map[string]any)
	t, _ := data[field].(string)
	return t
}

// body is what is sent: what was written down, and the title of a thread that all participants can read. False: a thread is
// hidden by now.
func body(d *ent.WebhookDelivery, threads map[string]*ent.Thread) ([]byte, bool, error) {
	for _, field := range named() {
		id := text(d, field)
		if id == "" {
			continue
		}
		t := threads[id]
		if t == nil {
			return nil, false, nil
		}
		if data, is := d.Payload["data"].(map[string]any); is && field == "threadId" && t.Edges.Space.Kind == space.KindNETWORK {
			data["threadTitle"] = t.Title // as it is now, and kept nowhere: it may have to be forgotten
		}
	}
	sent, err := json.Marshal(d.Payload)
	return sent, true, err
}

// outcome is what came of an attempt.
type outcome struct {
	status int
	lasted time.Duration
	err    error
	gone   bool // the endpoint wants nothing any more
}

// send makes one attempt and writes down what came of it.
func (s *Service) send(ctx context.Context, b box, d *ent.WebhookDelivery, threads map[string]*ent.Thread) error {
	working := context.WithoutCancel(ctx)
	e := d.Edges.Endpoint
	if e.DisabledAt != nil {
		return s.settle(working, d, func(u *ent.WebhookDeliveryUpdate) {
			u.ClearNextAt().SetFailedAt(s.Now()).SetLastError("The endpoint was disabled.")
		})
	}
	sent, tell, err := body(d, threads)
	if err != nil {
		return err
	}
	if !tell {
		_, err := s.Store.Client(working).WebhookDelivery.Delete().Where(webhookdelivery.ID(d.ID)).Exec(working)
		return err
	}
	secrets, err := b.secrets(e, s.Now())
	if err != nil {
		return err
	}
	came := s.attempt(ctx, e.URL, d.ID.String(), sent, secrets)
	if came.err != nil && ctx.Err() != nil { // this process stops; it says nothing of the endpoint
		return s.settle(working, d, func(u *ent.WebhookDeliveryUpdate) { u.SetNextAt(s.Now()).AddAttempts(-1) })
	}
	return s.note(working, d, came)
}

// attempt sends a body once.
func (s *Service) attempt(ctx context.Context, to, id string, sent []byte, secrets [][]byte) (came outcome) {
	ctx, cancel := context.WithTimeout(ctx, sendLimit)
	defer cancel()
	now := s.Now()
	defer func() { came.lasted = s.Now().Sub(now) }()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(sent))
	if err != nil {
		return outcome{err: errors.New("the URL cannot be read")}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Commons-Webhooks/1")
	request.Header.Set("webhook-id", id)
	request.Header.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
	request.Header.Set("webhook-signature", signature(id, now, sent, secrets...))
	response, err := s.client.Do(request)
	if err != nil {
		if of, is := errors.AsType[*url.Error](err); is {
			err = of.Err // without the URL, in which there may be a secret
		}
		return outcome{err: err}
	}
	defer func() { _ = response.Body.Close() }()
	answer, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	came.status = response.StatusCode
	if response.StatusCode/100 != 2 {
		came.err = fmt.Errorf("status %d: %s", response.StatusCode, answer)
		came.gone = response.StatusCode == http.StatusGone
	}
	return came
}

// note writes down what came of an attempt. Whoever has the delivery now, if the lease ran out, is not disturbed.
func (s *Service) note(ctx context.Context, d *ent.WebhookDelivery, came outcome) error {
	now := s.Now()
	lasted := int(came.lasted.Milliseconds())
	if came.err == nil {
		err := s.settle(ctx, d, func(u *ent.WebhookDeliveryUpdate) {
			u.ClearNextAt().SetDeliveredAt(now).SetStatus(came.status).SetDurationMs(lasted).SetLastError("")
		})
		if err == nil && d.Edges.Endpoint.FailingSince != nil {
			err = s.Store.Client(ctx).WebhookEndpoint.Update().Where(webhookendpoint.ID(d.EndpointID)).ClearFailingSince().Exec(ctx)
		}
		return err
	}
	last := d.Attempts > len(waits) || came.gone
	err := s.settle(ctx, d, func(u *ent.WebhookDeliveryUpdate) {
		u.SetStatus(came.status).SetDurationMs(lasted).SetLastError(plain(came.err.Error()))
		if last {
			u.ClearNextAt().SetFailedAt(now)
		} else {
			u.SetNextAt(now.Add(wait(d.Attempts)))
		}
	})
	if err != nil {
		return err
	}
	since := d.Edges.Endpoint.FailingSince
	if since == nil {
		since = &now
		err := s.Store.Client(ctx).WebhookEndpoint.Update().Where(webhookendpoint.ID(d.EndpointID), webhookendpoint.FailingSinceIsNil()).SetFailingSince(now).Exec(ctx)
		if err != nil {
			return fmt.Errorf("write down that an endpoint fails: %w", err)
		}
	}
	if came.gone || !since.After(now.Add(-failingMost)) {
		return s.disable(ctx, d.Edges.Endpoint, *since)
	}
	return nil
}

// settle changes a delivery if it is still this process's.
func (s *Service) settle(ctx context.Context, d *ent.WebhookDelivery, change func(*ent.WebhookDeliveryUpdate)) error {
	u := s.Store.Client(ctx).WebhookDelivery.Update().Where(webhookdelivery.ID(d.ID), webhookdelivery.Attempts(d.Attempts), webhookdelivery.NextAtNotNil())
	change(u)
	if err := u.Exec(ctx); err != nil {
		return fmt.Errorf("write down what came of a delivery: %w", err)
	}
	return nil
}

// wait is the time after an attempt that failed. It is spread, so that what failed together does not come back together.
func wait(attempts int) time.Duration {
	w := waits[min(attempts, len(waits))-1]
	return w*9/10 + rand.N(w/5) //nolint:gosec // nobody gains from guessing it
}

// disable stops what is sent to an endpoint, and tells staff by mail.
func (s *Service) disable(ctx context.Context, e *ent.WebhookEndpoint, since time.Time) error {
	host := ""
	if u, err := url.Parse(e.URL); err == nil {
		host = u.Host
	}
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		now := s.Now()
		n, err := tx.WebhookEndpoint.Update().Where(webhookendpoint.ID(e.ID), webhookendpoint.DisabledAtIsNil()).SetDisabledAt(now).Save(ctx)
		if err != nil || n == 0 {
			return err
		}
		staff, err := tx.Member.Query().Where(access.Staff()).Select(member.FieldEmail).All(ctx)
		if err != nil {
			return err
		}
		letters := make([]mail.Mail, len(staff))
		for i, m := range staff {
			letters[i] = mail.Mail{Address: m.Email, Template: MailDisabled, Data: map[string]string{
				"description": e.Description, "host": host, "since": since.UTC().Format("2 January 2006"),
			}}
		}
		if len(letters) > 0 {
			if err := s.Mail.Send(ctx, tx, letters...); err != nil {
				return err
			}
		}
		store.AfterCommit(ctx, s.changed)
		return s.Audit.Append(ctx, tx, viewer.System("send webhooks"), audit.Entry{Action: audit.WebhookDisabled, Subject: e.ID})
	})
	if err != nil {
		return fmt.Errorf("disable a webhook endpoint: %w", err)
	}
	return s.giveUp(ctx, e.ID, 0)
}

// plain is an error as it is kept: one line of bounded length.
func plain(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, " "))
	n := 0
	for i := range text {
		if n++; n > maxError {
			return text[:i]
		}
	}
	return text
}
