package tools

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// CacheEnv names the environment variable that holds another directory for built tools than the user's cache.
const CacheEnv = "PLATFORM_TOOLS_CACHE"

// Status is what is known of a tool without building it.
type Status struct {
	Name    string `json:"name"`
	Version string `json:"version"` // as pinned; a Pulumi command line of the machine may be another
	Group   string `json:"group"`   // directory below tools/ that pins it, or "debian" or "maven" for where it is fetched from
	Path    string `json:"path"`    // of the binary: where it is, or will be
	Ready   bool   `json:"ready"`   // the binary is there
}

// builder finds and builds the tools of one project.
type builder struct {
	root      string // the project's
	cache     string
	table     []Tool
	toolchain toolchain
	system    debianSystem
	progress  io.Writer
}

// standard is the builder of the project around the working directory.
func standard(ctx context.Context) (*builder, error) {
	root, err := Root()
	if err != nil {
		return nil, err
	}
	cache, err := cacheDir()
	if err != nil {
		return nil, err
	}
	chain, err := installedToolchain(ctx, root)
	if err != nil {
		return nil, err
	}
	return &builder{root: root, cache: cache, table: table, toolchain: chain, system: thisSystem, progress: os.Stderr}, nil
}

func cacheDir() (string, error) {
	if dir := os.Getenv(CacheEnv); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no place to keep built tools: %w; set %s to a directory", err, CacheEnv)
	}
	return filepath.Join(dir, "controlplane-infrastructure", "tools"), nil
}

// Path returns the absolute path of the tool's binary. A missing one is built first, with progress on standard error;
// the error of a failed build ends with the compiler's last lines.
func Path(ctx context.Context, name string) (string, error) {
	paths, err := Build(ctx, name)
	if err != nil {
		return "", err
	}
	return paths[name], nil
}

// Build builds, or fetches, those of the named tools that are missing, and returns their binaries' absolute paths by
// name. When none is named, it builds all that come from Go modules: see All for the others. A Pulumi command line of
// the machine that suits is taken for "pulumi", and of what Debian packages hold whatever of the machine suits.
func Build(ctx context.Context, names ...string) (map[string]string, error) {
	b, err := standard(ctx)
	if err != nil {
		return nil, err
	}
	return b.build(ctx, names)
}

// All returns the names of all tools, for Build: those that come from Go modules, and those that are fetched.
func All() []string { return (&builder{table: table}).names() }

// PulumiRoot returns the directory below which bin/pulumi is the Pulumi command line to use, as the Automation API's
// PulumiCommandOptions.Root wants it. It is built if the machine has none that suits.
func PulumiRoot(ctx context.Context) (string, error) {
	b, err := standard(ctx)
	if err != nil {
		return "", err
	}
	path, err := b.build(ctx, []string{pulumi})
	if err != nil {
		return "", err
	}
	return b.pulumiRoot(path[pulumi])
}

// List tells of every tool, in the order of a build, without building any.
func List(ctx context.Context) ([]Status, error) {
	b, err := standard(ctx)
	if err != nil {
		return nil, err
	}
	return b.list(ctx)
}

func (b *builder) list(ctx context.Context) ([]Status, error) {
	var all []Status
	for _, t := range b.table {
		p, err := b.plan(ctx, t)
		if err != nil {
			return nil, err
		}
		all = append(all, Status{Name: t.Name, Version: p.version, Group: t.Group, Path: p.binary, Ready: exists(p.binary)})
	}
	return all, nil
}

// Clean removes every built tool of this user, those of other clones included, and returns the cache's directory. It
// waits for a running build to end.
func Clean(ctx context.Context) (string, error) {
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	b := &builder{cache: cache, progress: os.Stderr}
	return cache, b.clean(ctx)
}

func (b *builder) clean(ctx context.Context) error {
	if !exists(b.cache) {
		return nil
	}
	unlock, err := b.lock(ctx, "removing built tools")
	if err != nil {
		return err
	}
	defer unlock()
	entries, err := os.ReadDir(b.cache)
	if err != nil {
		return fmt.Errorf("remove built tools: %w", err)
	}
	var failed []error
	for _, e := range entries {
		if e.Name() != lockFile {
			failed = append(failed, os.RemoveAll(filepath.Join(b.cache, e.Name())))
		}
	}
	return errors.Join(failed...)
}
