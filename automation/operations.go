package automation

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"

	"github.com/telekom/controlplane-infrastructure/internal/local"
	"github.com/telekom/controlplane-infrastructure/internal/policy"
)

// Up creates and changes what the stack describes. With Local it starts the local control plane when none runs.
func Up(ctx context.Context, o Options) (*Result, error) {
	if o.Local {
		if err := startLocal(ctx, o); err != nil {
			return nil, err
		}
	}
	return operate(ctx, o, "up", func(s *session, ch chan<- events.EngineEvent) error {
		return s.up(ctx, optup.EventStreams(ch))
	})
}

// up runs the stack's program. After a run that was killed and has left no state, nobody has written down what that has
// deleted or changed: everything is looked at.
func (s *session) up(ctx context.Context, more ...optup.Option) error {
	opts := append([]optup.Option{
		optup.ProgressStreams(s.engineOutput()...), optup.SuppressOutputs(), optup.SuppressProgress(), optup.Parallel(s.Parallel),
	}, more...)
	if s.forgetful && s.interrupted.Load() {
		opts = append(opts, optup.Refresh())
	}
	done, err := s.stack.Up(ctx, opts...)
	if err != nil {
		return err
	}
	s.outputs = done.Outputs
	return s.completed()
}

// Preview tells what Up would do, and changes nothing. It needs no reachable cluster.
func Preview(ctx context.Context, o Options) (*Result, error) {
	return operate(ctx, o, "preview", func(s *session, ch chan<- events.EngineEvent) error {
		_, err := s.stack.Preview(ctx, optpreview.EventStreams(ch), optpreview.ProgressStreams(s.engineOutput()...),
			optpreview.SuppressOutputs(), optpreview.SuppressProgress(), optpreview.Parallel(s.Parallel))
		return err
	})
}

// Refresh reads the state of every resource as it really is into the stack's state, so that the next Up repairs what
// others changed. The result's updates and deletions are the drift that was found.
func Refresh(ctx context.Context, o Options) (*Result, error) {
	if err := needLocal(ctx, o); err != nil {
		return nil, err
	}
	return operate(ctx, o, "refresh", func(s *session, ch chan<- events.EngineEvent) error {
		_, err := s.stack.Refresh(ctx, optrefresh.EventStreams(ch), optrefresh.ProgressStreams(s.engineOutput()...),
			optrefresh.SuppressProgress(), optrefresh.Parallel(s.Parallel))
		return err
	})
}

// Destroy deletes everything that the stack has created. While anything of it is protected, it deletes nothing.
func Destroy(ctx context.Context, o Options) (*Result, error) {
	if err := needLocal(ctx, o); err != nil {
		return nil, err
	}
	return operate(ctx, o, "destroy", func(s *session, ch chan<- events.EngineEvent) error {
		if err := s.refuseProtected(ctx); err != nil {
			return err
		}
		if s.forgetful && s.interrupted.Load() {
			fmt.Fprintln(s.Progress, "an earlier run was killed, and no state has what it made: completing it, so that all of it is deleted")
			if err := s.up(ctx); err != nil {
				return fmt.Errorf("complete the run that was killed: %w", err)
			}
		}
		_, err := s.stack.Destroy(ctx, optdestroy.EventStreams(ch), optdestroy.ProgressStreams(s.engineOutput()...),
			optdestroy.SuppressOutputs(), optdestroy.SuppressProgress(), optdestroy.Parallel(s.Parallel))
		if err != nil {
			return err
		}
		return errors.Join(s.completed(), s.forgetRealms())
	})
}

// forgetRealms removes what a simulated Keycloak knows once that is destroyed: realms go with it, unasked.
func (s *session) forgetRealms() error {
	if s.realms == nil || s.realms.StateFile == "" {
		return nil
	}
	if err := os.Remove(s.realms.StateFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the simulated Keycloak's realms: %w", err)
	}
	return nil
}

// Outputs are the outputs of the stack's last Up. Secret values are among them, marked as such.
func Outputs(ctx context.Context, o Options) (auto.OutputMap, error) {
	if err := needLocal(ctx, o); err != nil {
		return nil, err
	}
	s, err := open(ctx, o)
	if err != nil {
		return nil, err
	}
	defer s.close()
	outputs, err := reading(ctx, pause, func() (auto.OutputMap, error) { return s.stack.Outputs(ctx) })
	if err != nil {
		return nil, fmt.Errorf("read the outputs of stack %s: %w", o.Stack, shorten(err))
	}
	return outputs, nil
}

// operate opens the stack, runs one operation and gathers from the engine's events what happened. It tries again only as
// long as another operation has locked the stack, since then nothing was started.
func operate(ctx context.Context, o Options, name string,
	run func(*session, chan<- events.EngineEvent) error,
) (*Result, error) {
	started := time.Now()
	s, err := open(ctx, o)
	if err != nil {
		return nil, err
	}
	defer s.close()
	if name != "preview" && s.simulatesAWS() {
		return nil, usageErrorf("plugins: %q only simulates Amazon Web Services, which stack %s uses; use %q",
			PluginsBuiltin, s.Stack, PluginsPublished)
	}
	for told := false; ; told = true {
		result, err := s.attempt(ctx, name, run)
		result.Seconds = time.Since(started).Seconds()
		locked := lockConflict(s.Stack, err)
		if locked == nil {
			return s.judge(ctx, result, err)
		}
		again, err := s.unlock(ctx, locked, started.Add(s.LockWait), told)
		switch {
		case ctx.Err() != nil:
			return result, &OperationError{Result: result, Cancelled: true, Err: ctx.Err()}
		case err != nil:
			return nil, err
		case !again:
			return nil, locked
		}
	}
}

// planning tells whether an operation changes nothing.
func planning(name string) bool { return name == "preview" || name == "drift" }

// attempt runs an operation once.
func (s *session) attempt(ctx context.Context, name string, run func(*session, chan<- events.EngineEvent) error) (*Result, error) {
	result := &Result{Stack: s.Stack, Operation: name, Changes: map[string]int{}, Steps: []Step{}}
	if name != "preview" {
		if err := s.forward(ctx); err != nil {
			return result, err
		}
	}
	if !planning(name) {
		if err := s.settle(ctx); err != nil {
			return result, err
		}
		if err := s.remember(); err != nil {
			return result, err
		}
	}
	g := newGatherer(result, s.Progress)
	g.listener = s.Events
	return result, follow(g, func(ch chan<- events.EngineEvent) error { return run(s, ch) })
}

// judge completes what an operation has come to.
func (s *session) judge(ctx context.Context, result *Result, err error) (*Result, error) {
	if s.usage != nil {
		return result, &UsageError{Err: s.usage}
	}
	if err != nil {
		if slices.ContainsFunc(result.Errors, isMissingPlugin) {
			result.Errors = append(result.Errors, "where plugins cannot be downloaded, --plugins builtin does without them")
		}
		return result, &OperationError{Result: result, Cancelled: ctx.Err() != nil, Err: err}
	}
	result.Outputs = plainOutputs(s.outputs)
	if result.Operation == "preview" {
		result.Findings = policy.Check(result.resources)
	}
	return result, nil
}

// pause is how long an operation waits before it looks again whether a stack is still locked, or reads again what it could
// not read.
const pause = 2 * time.Second

// unlock tells whether to try again: at once when the lock was that of a run that is gone, else after a pause, until the
// deadline.
func (s *session) unlock(ctx context.Context, locked *LockedError, deadline time.Time, told bool) (bool, error) {
	released, err := locked.release()
	if err != nil {
		return false, err
	}
	if released {
		fmt.Fprintf(s.Progress, "released the lock of pid %d, which was killed at work on stack %s; going on from where it was\n",
			locked.Holder.PID, s.Stack)
		return true, s.resume()
	}
	if !time.Now().Add(pause).Before(deadline) {
		return false, nil
	}
	if !told {
		fmt.Fprintf(s.Progress, "waiting until %s: %s\n", deadline.Format(time.TimeOnly), locked)
	}
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case <-time.After(pause):
		return true, nil
	}
}

// closing is how long the events of an operation that is over may take to end.
const closing = 3 * time.Second

// follow runs an operation and returns when the gatherer has all of its events. One that failed before it had any may
// leave their channel open for ever.
func follow(g *gatherer, run func(chan<- events.EngineEvent) error) error {
	ch, gathered := make(chan events.EngineEvent), make(chan struct{})
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() {
		defer close(gathered)
		g.gather(ctx, ch)
	}()
	err := run(ch)
	switch {
	case lockConflict("", err) != nil:
		stop() // there are none
	case err != nil:
		time.AfterFunc(closing, stop)
	}
	<-gathered
	return err
}

// isMissingPlugin tells the engine's complaint about a plugin that it could not download.
func isMissingPlugin(message string) bool {
	return strings.Contains(message, "Could not automatically download and install resource plugin")
}

// startLocal brings the local control plane up, or finds it running.
func startLocal(ctx context.Context, o Options) error {
	o, err := o.complete()
	if err != nil || o.LocalControlPlane != nil {
		return err
	}
	if _, err := loadConfig(o); err != nil {
		return err
	}
	_, err = local.Start(ctx, local.Options{Dir: o.LocalDir, Log: o.Progress})
	return err
}

// needLocal fails when the run is to be on a local control plane that does not run.
func needLocal(ctx context.Context, o Options) error {
	if !o.Local {
		return nil
	}
	_, err := o.runningLocal(ctx)
	return err
}
