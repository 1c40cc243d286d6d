package integration

import (
	"bufio"
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/local"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// TestKilled kills `platform up` outright, again and again, as a pipeline's machine may be. The next one goes on, and in
// the end everything in the cluster is in the state, and the other way round. Then it looks at what others change.
func TestKilled(t *testing.T) {
	parallel(t)
	if published {
		return // the program decides by itself which plugins it uses on a local control plane
	}
	p := startProgram(t)
	seed := rand.Uint64()
	t.Logf("the seed is %d", seed)
	random := rand.New(rand.NewPCG(seed, seed))

	t.Run("the next up goes on, and loses nothing", func(t *testing.T) {
		usual, stepwise := p.with(t), p.with(t, "PULUMI_SKIP_CHECKPOINTS=false")
		// First as is usual on the local control plane, with a state at the end only; then as everywhere else, with one for
		// each step.
		for range 3 {
			usual.upKilled(1+random.IntN(30), time.Duration(random.IntN(300))*time.Millisecond)
		}
		for range 7 {
			stepwise.upKilled(1+random.IntN(16), time.Duration(random.IntN(300))*time.Millisecond)
		}
		usual.run("up")
		usual.complete()
	})
	t.Run("what others change is told, and repaired", func(t *testing.T) { driftIsRepaired(t, p.with(t).env) })
}

// program is the program platform, with a stack and a control plane of its own.
type program struct {
	*env
	path string
	dir  string // of the control plane
	vars []string
}

// startProgram builds the program and starts a control plane in the background, which any process can find.
func startProgram(t *testing.T) *program {
	t.Helper()
	base, err := os.MkdirTemp("", "killed-") // the paths of sockets are limited
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(base)) })
	p := &program{path: filepath.Join(base, "platform"), dir: filepath.Join(base, "cp")}
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", p.path, "../../cmd/platform").CombinedOutput()
	require.NoError(t, err, string(out))

	o := local.Options{Dir: p.dir, Log: testWriter{t}, SupervisorCommand: []string{p.path, "local", "supervise"}}
	cp, err := local.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, local.Stop(context.Background(), o)) })
	p.env = &env{Cluster: verify.Connect(t, cp.Kubeconfig), t: t, cp: cp, project: newProject(t)}
	p.configure(small(nil))
	return p
}

// with is the program in another test, with more variables in its environment.
func (p *program) with(t *testing.T, vars ...string) *program {
	own := *p.env
	own.Cluster, own.t = p.For(t), t
	return &program{env: &own, path: p.path, dir: p.dir, vars: vars}
}

func (p *program) command(args ...string) *exec.Cmd {
	args = append(args, "--project", p.project, "--stack", "test", "--local", "--local-dir", p.dir)
	cmd := exec.CommandContext(p.Context(), p.path, args...)
	cmd.Env = append(os.Environ(), p.vars...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// run lets a command end by itself, and well.
func (p *program) run(args ...string) {
	p.t.Helper()
	out, err := p.command(args...).CombinedOutput()
	require.NoError(p.t, err, "%v\n%s", args, out)
	p.t.Logf("%v\n%s", args, out)
}

// upKilled kills an up, and all that belongs to it, a while after it has created a number of resources.
func (p *program) upKilled(created int, later time.Duration) {
	p.t.Helper()
	cmd := p.command("up")
	progress, err := cmd.StderrPipe()
	require.NoError(p.t, err)
	require.NoError(p.t, cmd.Start())
	lines := bufio.NewScanner(progress)
	var seen []string
	for n := 0; n < created && lines.Scan(); {
		seen = append(seen, lines.Text())
		if strings.HasPrefix(lines.Text(), "create ") || strings.HasPrefix(lines.Text(), "update ") {
			n++
		}
	}
	time.Sleep(later)
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil {
		require.ErrorIs(p.t, err, syscall.ESRCH, "it had come to its end before")
	}
	for lines.Scan() {
		seen = append(seen, lines.Text())
	}
	err = cmd.Wait()
	p.t.Logf("killed after %d resources and %s: %v\n%s", created, later, err, strings.Join(seen, "\n"))
	for _, line := range seen {
		require.NotRegexp(p.t, "^(error|failed)", line)
	}
}

// complete asserts that nothing is missing and nothing is left over.
func (p *program) complete() {
	p.t.Helper()
	p.run("up", "--expect-no-changes")
	requireNothingLost(p.t, p.env, "test")
	requireNoPlainSecrets(p.t, p.env, "test")
	p.run("drift")
}
