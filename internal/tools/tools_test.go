package tools

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const hello = `package main

import "fmt"

var version string

func main() { fmt.Println("hello", version) }
`

// project is a project of one group with one program and no dependencies, and a builder for it.
func project(t *testing.T) (*builder, *bytes.Buffer) {
	t.Helper()
	root := t.TempDir()
	write(t, root, "tools/group/go.mod", "module example.com/group\n\ngo 1.26.0\n\n// require example.com/thing v1.31.4\n")
	write(t, root, "tools/group/hello/main.go", hello)
	chain, err := readToolchain(t.Context(), root)
	require.NoError(t, err)
	progress := &bytes.Buffer{}
	return &builder{
		root: root, cache: filepath.Join(t.TempDir(), "cache"), toolchain: chain, progress: progress,
		table: []Tool{{Name: "hello", Group: "group", Package: "./hello", Module: "// require example.com/thing", Flags: "-X main.version=$VERSION/$MAJOR/$MINOR"}},
	}, progress
}

func write(t *testing.T, root, name, content string) {
	t.Helper()
	path := filepath.Join(root, filepath.FromSlash(name))
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
}

func build(t *testing.T, b *builder) string {
	t.Helper()
	paths, err := b.build(t.Context(), []string{"hello"})
	require.NoError(t, err)
	return paths["hello"]
}

func modified(t *testing.T, path string) time.Time {
	t.Helper()
	info, err := os.Stat(path)
	require.NoError(t, err)
	return info.ModTime()
}

func TestBuiltOnceFromThePinnedVersion(t *testing.T) {
	b, progress := project(t)
	path := build(t, b)
	out, err := exec.Command(path).Output()
	require.NoError(t, err)
	assert.Equal(t, "hello v1.31.4/1/31\n", string(out))

	before := modified(t, path)
	assert.Equal(t, path, build(t, b))
	assert.Equal(t, before, modified(t, path), "the second call must not build")
	assert.NotContains(t, progress.String(), "error")
}

func TestAnotherCloneUsesTheSameBinary(t *testing.T) {
	one, _ := project(t)
	other, _ := project(t)
	other.cache = one.cache
	path := build(t, one)
	before := modified(t, path)
	assert.Equal(t, path, build(t, other))
	assert.Equal(t, before, modified(t, path))
}

func TestKeyFollowsWhatIsBuilt(t *testing.T) {
	changes := map[string]func(t *testing.T, b *builder){
		"source":  func(t *testing.T, b *builder) { write(t, b.root, "tools/group/hello/main.go", hello+"\n// more\n") },
		"go.sum":  func(t *testing.T, b *builder) { write(t, b.root, "tools/group/go.sum", "") },
		"flags":   func(_ *testing.T, b *builder) { b.table[0].Flags = "" },
		"go":      func(_ *testing.T, b *builder) { b.toolchain.GOVERSION = "go1.99" },
		"machine": func(_ *testing.T, b *builder) { b.toolchain.GOHOSTARCH = "riscv64" },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			b, _ := project(t)
			before, err := b.plan(t.Context(), b.table[0])
			require.NoError(t, err)
			change(t, b)
			after, err := b.plan(t.Context(), b.table[0])
			require.NoError(t, err)
			assert.NotEqual(t, before.binary, after.binary)
		})
	}
	t.Run("but not tests", func(t *testing.T) {
		b, _ := project(t)
		before, err := b.plan(t.Context(), b.table[0])
		require.NoError(t, err)
		write(t, b.root, "tools/group/hello/main_test.go", "package main\n")
		after, err := b.plan(t.Context(), b.table[0])
		require.NoError(t, err)
		assert.Equal(t, before.binary, after.binary)
	})
}

func TestConcurrentBuildersBuildOnce(t *testing.T) {
	b, _ := project(t)
	seen := make(chan time.Time, 4)
	var wg sync.WaitGroup
	for range cap(seen) {
		own := *b
		own.progress = &bytes.Buffer{}
		wg.Go(func() {
			paths, err := own.build(t.Context(), []string{"hello"})
			if assert.NoError(t, err) {
				seen <- modified(t, paths["hello"])
			}
		})
	}
	wg.Wait()
	close(seen)
	first := <-seen
	for other := range seen {
		assert.Equal(t, first, other)
	}
}

func TestWaitingNamesTheHolder(t *testing.T) {
	b, progress := project(t)
	unlock, err := b.lock(t.Context(), "building elsewhere v1")
	require.NoError(t, err)
	time.AfterFunc(patience+500*time.Millisecond, unlock)
	build(t, b)
	assert.Contains(t, progress.String(), fmt.Sprintf("waiting for another build (process %d building elsewhere v1)", os.Getpid()))
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	b, _ := project(t)
	unlock, err := b.lock(t.Context(), "building elsewhere v1")
	require.NoError(t, err)
	defer unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err = b.build(ctx, []string{"hello"})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.ErrorContains(t, err, "building elsewhere v1")
}

// An interrupted build leaves nothing that passes for a binary, and the next one starts afresh.
func TestInterruptedBuildLeavesNoBinary(t *testing.T) {
	b, _ := project(t)
	slowGo(t)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(time.Second, cancel)
	_, err := b.build(ctx, []string{"hello"})
	require.ErrorIs(t, err, context.Canceled)
	p, err := b.plan(t.Context(), b.table[0])
	require.NoError(t, err)
	assert.NoFileExists(t, p.binary)
	assert.Empty(t, glob(t, b.cache, "*/"+partial+"*"))

	// What a killed process leaves is removed by the next build.
	left := filepath.Join(p.dir(), partial+"123")
	write(t, left, "hello", "half a binary")
	t.Setenv("SLOW_GO", "")
	require.FileExists(t, build(t, b))
	assert.NoDirExists(t, left)
}

// slowGo puts a go command first on PATH that writes half of its output and then takes its time, while SLOW_GO is set.
func slowGo(t *testing.T) {
	t.Helper()
	real, err := exec.LookPath("go")
	require.NoError(t, err)
	dir := t.TempDir()
	script := `#!/bin/sh
[ -n "$SLOW_GO" ] || exec ` + real + ` "$@"
while [ $# -gt 0 ]; do [ "$1" = -o ] && echo half >"$2"; shift; done
exec sleep 30
`
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go"), []byte(script), 0o755))
	t.Setenv("SLOW_GO", "yes")
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func glob(t *testing.T, dir, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	require.NoError(t, err)
	return found
}

func TestCompilerErrorIsShown(t *testing.T) {
	b, _ := project(t)
	write(t, b.root, "tools/group/hello/main.go", "package main\n\nfunc main() { undefinedThing() }\n")
	_, err := b.build(t.Context(), []string{"hello"})
	require.Error(t, err)
	for _, part := range []string{"build tool hello v1.31.4", "undefined: undefinedThing", "main.go:3"} {
		assert.ErrorContains(t, err, part)
	}
}

func TestUnknownNameSuggests(t *testing.T) {
	b := &builder{table: table}
	_, err := b.build(t.Context(), []string{"kubeapiserver"})
	assert.ErrorContains(t, err, `unknown tool "kubeapiserver": did you mean "kube-apiserver"?`)
}

func TestOldBuildsGo(t *testing.T) {
	b, _ := project(t)
	sum := strings.Repeat("0", keyLength)
	for name, age := range map[string]time.Duration{
		"group-" + sum:       unused + time.Hour, // goes
		"group-1" + sum[1:]:  time.Hour,
		"other-" + sum:       unused + time.Hour,
		"group-one-" + sum:   unused + time.Hour, // another group, whose name begins alike
		"group-not-a-build":  unused + time.Hour,
		"pulumi-link-abcdef": unused + time.Hour,
	} {
		dir, when := filepath.Join(b.cache, name), time.Now().Add(-age)
		require.NoError(t, os.MkdirAll(dir, 0o755))
		require.NoError(t, os.Chtimes(dir, when, when))
	}
	path := build(t, b)
	assert.NoDirExists(t, filepath.Join(b.cache, "group-"+sum))
	assert.Len(t, glob(t, b.cache, "*-*"), 6)
	assert.FileExists(t, path)
}

func TestUseKeepsABuildYoung(t *testing.T) {
	b, _ := project(t)
	dir := filepath.Dir(filepath.Dir(build(t, b)))
	old := time.Now().Add(-unused)
	require.NoError(t, os.Chtimes(dir, old, old))
	build(t, b)
	assert.WithinDuration(t, time.Now(), modified(t, dir), time.Minute)
}

func TestCleanRemovesAll(t *testing.T) {
	b, _ := project(t)
	path := build(t, b)
	require.NoError(t, b.clean(t.Context()))
	assert.NoFileExists(t, path)
	assert.FileExists(t, build(t, b), "and it can be built again")
}

func TestListTellsWithoutBuilding(t *testing.T) {
	b, _ := project(t)
	all, err := b.list(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 1)
	assert.Equal(t, "hello v1.31.4 group", strings.Join([]string{all[0].Name, all[0].Version, all[0].Group}, " "))
	assert.False(t, all[0].Ready)
	assert.Equal(t, all[0].Path, build(t, b))
	all, err = b.list(t.Context())
	require.NoError(t, err)
	assert.True(t, all[0].Ready)
}

func TestRootIsFoundFromWithin(t *testing.T) {
	found, err := Root()
	require.NoError(t, err)
	assert.FileExists(t, filepath.Join(found, "internal", "tools", "tools_test.go"))

	t.Chdir(t.TempDir())
	_, err = Root()
	assert.ErrorContains(t, err, "run this inside a clone")
}

// The table and the groups' go.mod files belong together.
func TestEveryToolIsPinned(t *testing.T) {
	root, err := Root()
	require.NoError(t, err)
	b := &builder{root: root, table: table}
	for _, tool := range table {
		switch tool.Group {
		case debian:
			continue // the system's release pins those
		case maven:
			p, err := b.planMaven(tool)
			if assert.NoError(t, err) {
				assert.Regexp(t, `^\d+\.\d+\.\d+`, p.version, tool.Name)
				assert.Regexp(t, `^[0-9a-f]{64}$`, tool.SHA256, tool.Name)
			}
			continue
		}
		version, err := b.version(tool)
		if assert.NoError(t, err) {
			assert.Regexp(t, `^v\d+\.\d+\.\d+`, version, tool.Name)
			assert.NotContains(t, linkerFlags(tool, version), "$")
		}
	}
}
