package notify

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/notification"
	"github.com/pursuing-equity/commons/ent/notificationjob"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/ent/teammembership"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/ent/watchsetting"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const (
	tellBatch   = 500              // members that one transaction tells
	tellLease   = 30 * time.Second // for which a job is one process's own, anew with each batch
	tellPoll    = 5 * time.Second  // finds what other processes wrote down, and what is due again
	firstWait   = 5 * time.Second  // before the second attempt; doubled for each that follows
	maxAttempts = 10
	// newsWorth is how old a post may be for somebody still to be told of it; a job that failed for good is kept as long.
	newsWorth = 3 * 24 * time.Hour
	maxError  = 500
)

// Worker tells the many whom posts concern. One runs in each process; they share the work.
//
// A job is gone through in batches, and how far it got is written down in the transaction of each: whoever dies in the middle has
// told those before and nobody behind, and when its lease has run out another process goes on from there.
type Worker struct {
	*Service

	Logger *slog.Logger

	woken chan struct{}
	dead  prometheus.Counter
}

// NewWorker makes a worker of a service.
func NewWorker(s *Service, logger *slog.Logger) *Worker {
	return &Worker{Service: s, Logger: logger, woken: make(chan struct{}, 1), dead: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "commons_notification_jobs_failed_total", Help: "Posts of which not everybody could be told, after all attempts.",
	})}
}

// Collectors are the worker's metrics.
func (w *Worker) Collectors() []prometheus.Collector { return []prometheus.Collector{w.dead} }

// Wake makes Run look for work now. It never blocks.
func (w *Worker) Wake() {
	select {
	case w.woken <- struct{}{}:
	default:
	}
}

// Run tells members until ctx ends.
func (w *Worker) Run(ctx context.Context) {
	ctx = viewer.NewContext(ctx, viewer.System("notify"))
	polls := time.NewTicker(tellPoll)
	defer polls.Stop()
	for {
		for _, do := range []func(context.Context) error{w.Tell, w.Digest} {
			if err := do(ctx); err != nil && ctx.Err() == nil {
				w.Logger.WarnContext(ctx, "notifications wait", "error", err.Error())
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-w.woken:
		case <-polls.C:
		}
	}
}

// enqueue writes down that many may have to be told of a post.
func (s *Service) enqueue(ctx context.Context, tx *ent.Client, p *told) error {
	if p.space.Kind == space.KindDIRECT {
		return nil // few, and told at once
	}
	many := len(p.call.Teams) > 0 || p.call.Everyone || p.call.Facilitators
	if !many {
		var err error
		watched := func(s *sql.Selector) {
			t := watchers(s.Dialect(), watchsetting.LevelWATCHING, watchsetting.FieldThreadID, p.post.ThreadID)
			sp := watchers(s.Dialect(), watchsetting.LevelWATCHING, watchsetting.FieldSpaceID, p.space.ID)
			tell := sql.Or(sql.Exists(t), sql.Exists(sp))
			if p.post.Seq == 1 {
				tell = sql.Or(tell, sql.EQ(s.C(thread.FieldKind), thread.KindANNOUNCEMENT))
			}
			s.Where(tell)
		}
		if many, err = tx.Thread.Query().Where(thread.ID(p.post.ThreadID), watched).Exist(ctx); err != nil {
			return fmt.Errorf("look for somebody to tell: %w", err)
		}
	}
	if !many {
		return nil
	}
	err := tx.NotificationJob.Create().SetID(s.NewID(gid.NotificationJob)).SetCreatedAt(p.at).SetPostID(p.post.ID).SetThreadID(p.post.ThreadID).SetNextAt(p.at).Exec(ctx)
	if err != nil {
		return fmt.Errorf("write down whom to tell: %w", err)
	}
	if s.Wake != nil {
		store.AfterCommit(ctx, s.Wake)
	}
	return nil
}

// Tell does all that is due.
func (w *Worker) Tell(ctx context.Context) error {
	for ctx.Err() == nil {
		job, err := w.take(ctx)
		if err != nil || job == nil {
			return err
		}
		if err := w.work(ctx, job); err != nil {
			if err := w.failed(ctx, job, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// take makes the job that is longest due this process's own for a while; nil when none is due.
func (w *Worker) take(ctx context.Context) (job *ent.NotificationJob, err error) {
	now := w.Now()
	// A look comes first, so that a process with nothing to do never asks for the write lock.
	if some, err := w.Store.Client(ctx).NotificationJob.Query().Where(notificationjob.NextAtLTE(now)).Exist(store.Upkeep(ctx)); err != nil || !some {
		return nil, err
	}
	err = w.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		job, err = tx.NotificationJob.Query().Where(notificationjob.NextAtLTE(now), store.LockFreeRows).
			Order(notificationjob.ByNextAt(), notificationjob.ByID()).First(ctx)
		if ent.IsNotFound(err) {
			job = nil
			return nil
		}
		if err != nil {
			return err
		}
		job.Attempts++
		return tx.NotificationJob.UpdateOneID(job.ID).SetAttempts(job.Attempts).SetNextAt(now.Add(tellLease)).Exec(ctx)
	})
	if err != nil {
		return nil, fmt.Errorf("take a job: %w", err)
	}
	return job, nil
}

// mine is the job while it is this process's own.
func mine(job *ent.NotificationJob) func(*sql.Selector) {
	return sql.AndPredicates(notificationjob.ID(job.ID), notificationjob.Attempts(job.Attempts))
}

// work tells everybody, batch by batch, and deletes the job.
func (w *Worker) work(ctx context.Context, job *ent.NotificationJob) error {
	for over := false; !over && ctx.Err() == nil; {
		err := w.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) (err error) {
			over, err = w.batch(ctx, tx, job)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// failed writes down what came of an attempt, unless another process has the job by now.
func (w *Worker) failed(ctx context.Context, job *ent.NotificationJob, cause error) error {
	if ctx.Err() != nil {
		return ctx.Err() // asked to stop: the lease runs out
	}
	text := cause.Error()
	if len(text) > maxError {
		text = text[:maxError]
	}
	next := w.Now().Add(firstWait << min(job.Attempts-1, maxAttempts))
	if job.Attempts >= maxAttempts {
		w.dead.Inc()
		w.Logger.ErrorContext(ctx, "not everybody was told of a post, and it is not tried again", "post", job.PostID.String(), "attempts", job.Attempts, "error", text)
		next = job.CreatedAt.Add(newsWorth) // then it is dropped
	} else {
		w.Logger.WarnContext(ctx, "not everybody was told of a post, trying again", "post", job.PostID.String(), "error", text)
	}
	err := w.Store.Client(ctx).NotificationJob.Update().Where(mine(job)).SetNextAt(next).SetLastError(text).Exec(ctx)
	if err != nil {
		return fmt.Errorf("write down what came of a job: %w", err)
	}
	return nil
}

// batch tells the next members and reports whether there are no more. Whoever deletes or hides the post waits for it, and then finds
// what it wrote.
func (w *Worker) batch(ctx context.Context, tx *ent.Client, job *ent.NotificationJob) (over bool, err error) {
	held, err := tx.NotificationJob.Query().Where(mine(job), store.LockRow).Only(ctx)
	if ent.IsNotFound(err) {
		return true, nil // the lease ran out, and somebody else does it
	}
	if err != nil {
		return false, fmt.Errorf("lock the job: %w", err)
	}
	p, err := w.current(ctx, tx, held)
	if err != nil {
		return false, err
	}
	var people []*ent.Member
	if p != nil {
		if people, err = w.next(ctx, tx, p, held.AfterID); err != nil {
			return false, err
		}
		if err := w.tell(ctx, tx, p, people); err != nil {
			return false, err
		}
	}
	if len(people) < tellBatch {
		return true, tx.NotificationJob.DeleteOneID(held.ID).Exec(ctx)
	}
	return false, tx.NotificationJob.UpdateOneID(held.ID).SetAfterID(people[len(people)-1].ID).SetNextAt(w.Now().Add(tellLease)).Exec(ctx)
}

// current is the post of a job as it stands now; nil when there is nothing to tell of any more.
func (w *Worker) current(ctx context.Context, tx *ent.Client, job *ent.NotificationJob) (*told, error) {
	row, err := tx.Post.Query().Where(post.ID(job.PostID), store.LockRow).Only(ctx)
	if err != nil {
		return nil, fmt.Errorf("lock the post: %w", err)
	}
	if row.DeletedAt != nil || row.HiddenAt != nil || w.Now().After(job.CreatedAt.Add(newsWorth)) {
		return nil, nil
	}
	t, err := tx.Thread.Query().Where(thread.ID(row.ThreadID)).WithSpace().Only(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the thread: %w", err)
	}
	p := &told{post: row, space: t.Edges.Space, call: Called(row.Body), announces: row.Seq == 1 && t.Kind == thread.KindANNOUNCEMENT, at: w.Now()}
	if p.call.Everyone {
		rights, err := access.SpaceRightsOf(ctx, tx, row.AuthorID, p.space)
		if err != nil {
			return nil, err
		}
		p.call.Everyone = rights.Moderate
	}
	if row.ReplyToID != nil {
		answered, err := tx.Post.Query().Where(post.ID(*row.ReplyToID)).Only(ctx)
		if err != nil {
			return nil, fmt.Errorf("load the post that is answered: %w", err)
		}
		p.repliedTo = &answered.AuthorID
	}
	return p, nil
}

// next are the members whom a post concerns and who have not been told of it, behind one of them, by id.
func (w *Worker) next(ctx context.Context, tx *ent.Client, p *told, after *gid.ID) ([]*ent.Member, error) {
	concerned := []func(*sql.Selector){withLevel(watchsetting.LevelWATCHING, p.space.ID, p.post.ThreadID)}
	if p.announces || p.call.Everyone {
		concerned = append(concerned, access.SpaceReaders(p.space.ID))
	}
	if p.call.Facilitators {
		concerned = append(concerned, func(s *sql.Selector) {
			looksAfter := sql.Dialect(s.Dialect()).Select(spacemembership.FieldMemberID).From(sql.Table(spacemembership.Table))
			s.Where(sql.In(s.C(member.FieldID), looksAfter.Where(sql.And(
				sql.EQ(spacemembership.FieldSpaceID, p.space.ID), sql.EQ(spacemembership.FieldRole, spacemembership.RoleFACILITATOR)))))
		})
	}
	if len(p.call.Teams) > 0 {
		concerned = append(concerned, func(s *sql.Selector) {
			of := sql.Dialect(s.Dialect()).Select(teammembership.FieldMemberID).From(sql.Table(teammembership.Table))
			page.AnyOf(teammembership.FieldTeamID, p.call.Teams)(of)
			s.Where(sql.In(s.C(member.FieldID), of.Where(sql.IsNull(teammembership.FieldEndsOn))))
		})
	}
	untold := func(s *sql.Selector) {
		n := sql.Dialect(s.Dialect()).Select(notification.FieldRecipientID).From(sql.Table(notification.Table))
		s.Where(sql.NotIn(s.C(member.FieldID), n.Where(sql.EQ(notification.FieldPostID, p.post.ID))))
	}
	q := tx.Member.Query().Where(sql.OrPredicates(concerned...), p.hearers(), access.ThreadReaders(p.post.ThreadID), untold)
	if after != nil {
		q.Where(member.IDGT(*after))
	}
	people, err := q.Order(member.ByID()).Limit(tellBatch).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("find whom to tell: %w", err)
	}
	return people, nil
}
