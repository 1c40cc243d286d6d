package tools

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	keyLength = 16                  // hexadecimal digits of a key: enough among a handful
	unused    = 30 * 24 * time.Hour // after this long an old build goes
	partial   = ".build-"           // begins the name of a directory that a build writes into
)

// plan is where a tool's binary belongs, and what the build needs to know.
type plan struct {
	Tool
	version string
	binary  string
	own     bool // built here, rather than the machine's
}

func (b *builder) groupDir(group string) string { return filepath.Join(b.root, "tools", group) }

// plan finds out where the tool's binary is, or will be.
func (b *builder) plan(ctx context.Context, t Tool) (plan, error) {
	switch t.Group {
	case debian:
		return b.planDebian(ctx, t)
	case maven:
		return b.planMaven(t)
	}
	version, err := b.version(t)
	if err != nil {
		return plan{}, err
	}
	if t.Name == pulumi {
		path, err := b.machinePulumi(ctx)
		if err != nil {
			return plan{}, err
		}
		if path != "" {
			return plan{Tool: t, version: version, binary: path}, nil
		}
	}
	key, err := b.key(t, version)
	if err != nil {
		return plan{}, err
	}
	binary := filepath.Join(b.cache, t.Group+"-"+key, "bin", t.Name)
	return plan{Tool: t, version: version, binary: binary, own: true}, nil
}

// build returns the named tools' binaries (those of all from Go modules when none is named), after building the missing
// ones.
func (b *builder) build(ctx context.Context, names []string) (map[string]string, error) {
	if len(names) == 0 {
		names = b.modules()
	}
	paths := map[string]string{}
	var missing []plan
	for _, name := range names {
		if err := b.look(ctx, name, paths, &missing); err != nil {
			return nil, err
		}
	}
	for i, p := range missing {
		binary, err := b.buildOne(ctx, p, i+1, len(missing))
		if err != nil {
			return nil, err
		}
		paths[p.Name] = binary
	}
	return paths, nil
}

// look adds the binary to paths; if it is missing, it adds the plan to those, after that of what is needed to get it.
func (b *builder) look(ctx context.Context, name string, paths map[string]string, missing *[]plan) error {
	if _, known := paths[name]; known {
		return nil
	}
	t, err := b.find(name)
	if err != nil {
		return err
	}
	p, err := b.plan(ctx, t)
	if err != nil {
		return err
	}
	paths[name] = p.binary
	if exists(p.binary) {
		if p.own {
			markUsed(p.dir())
		}
		return nil
	}
	if t.Group == maven {
		if err := b.look(ctx, mvn, paths, missing); err != nil {
			return err
		}
	}
	*missing = append(*missing, p)
	return nil
}

func (p plan) dir() string { return filepath.Dir(filepath.Dir(p.binary)) }

// buildOne builds a tool while nobody else builds one, unless somebody has built it in the meantime, and returns its
// binary.
func (b *builder) buildOne(ctx context.Context, p plan, number, of int) (string, error) {
	title := p.Name + " " + p.version
	if of > 1 {
		title += fmt.Sprintf(" (%d/%d)", number, of)
	}
	doing, make := "build", b.compile
	switch p.Group {
	case debian:
		doing, make = "fetch", b.fetchDebian
	case maven:
		doing, make = "fetch", b.fetchMaven
	}
	unlock, err := b.lock(ctx, doing+"ing "+title)
	if err != nil {
		return "", fmt.Errorf("%s tool %s: %w", doing, p.Name, err)
	}
	defer unlock()
	if p, err = b.plan(ctx, p.Tool); err != nil || exists(p.binary) {
		return p.binary, err
	}
	if err := make(ctx, p, title); err != nil {
		return "", fmt.Errorf("%s tool %s %s: %w", doing, p.Name, p.version, err)
	}
	// Where a fetched one is depends on what was fetched.
	if p, err = b.plan(ctx, p.Tool); err != nil {
		return "", err
	}
	b.removeUnused(p)
	return p.binary, nil
}

// compile runs the go command and moves what it built to its place in one step, so that a binary is there whole or not
// at all. What the go command has compiled before it is interrupted is in its own cache, for the next try.
func (b *builder) compile(ctx context.Context, p plan, title string) error {
	if err := os.MkdirAll(filepath.Dir(p.binary), 0o755); err != nil {
		return err
	}
	removePartial(p.dir())
	tmp, err := os.MkdirTemp(p.dir(), partial)
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)

	output := filepath.Join(tmp, p.Name)
	args := append([]string{"build", "-v"}, buildFlags...)
	args = append(args, "-ldflags="+linkerFlags(p.Tool, p.version), "-o", output, p.Package)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = b.groupDir(p.Group)
	cmd.Env = b.environ()
	// An interrupt lets the go command stop its compilers and remove its work directory.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = 10 * time.Second

	report := startReport(b.progress, "building", "built", title)
	cmd.Stdout, cmd.Stderr = report, report
	err = cmd.Run()
	report.finish(err == nil)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("go build in %s: %w\n%s", cmd.Dir, err, report.lastLines())
	}
	return os.Rename(output, p.binary)
}

// environ is the environment of a build: the user's, for proxies and caches, without what would change the binary.
func (b *builder) environ() []string {
	return append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=-mod=readonly",
		"GOOS="+b.toolchain.GOHOSTOS, "GOARCH="+b.toolchain.GOHOSTARCH)
}

// markUsed notes that the group's binaries are in use, at most once a day.
func markUsed(dir string) {
	if info, err := os.Stat(dir); err == nil && time.Since(info.ModTime()) > 24*time.Hour {
		now := time.Now()
		_ = os.Chtimes(dir, now, now) // a cache of another user's may be read-only: then it is theirs to clean
	}
}

// removeUnused removes builds of the same from other content that nobody has used for long. It may fail: what is left
// is looked at again after the next build.
func (b *builder) removeUnused(p plan) {
	prefix := p.Group + "-"
	if p.Group == maven {
		prefix = p.Name + "-"
	}
	dirs, _ := filepath.Glob(filepath.Join(b.cache, prefix+"*"))
	for _, dir := range dirs {
		key := strings.TrimPrefix(filepath.Base(dir), prefix)
		info, err := os.Stat(dir)
		if err == nil && dir != p.dir() && len(key) == keyLength && time.Since(info.ModTime()) > unused {
			_ = os.RemoveAll(dir)
		}
	}
}

// removePartial removes what killed builds left behind; the caller holds the lock, so no running one is hit.
func removePartial(dir string) {
	dirs, _ := filepath.Glob(filepath.Join(dir, partial+"*"))
	for _, d := range dirs {
		_ = os.RemoveAll(d)
	}
}
