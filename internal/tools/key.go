package tools

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// buildFlags are the same for every tool. They win over GOFLAGS of the environment, and leave nothing of the
// machine in the binary, so that equal keys mean equal binaries.
var buildFlags = []string{"-trimpath", "-buildvcs=false", "-mod=readonly"}

// toolchain is what the go command tells of itself.
type toolchain struct{ GOVERSION, GOHOSTOS, GOHOSTARCH string }

// installed is kept, as it does not change while a process runs and takes a run of the go command to find out.
var installed struct {
	sync.Mutex
	toolchain
}

func installedToolchain(ctx context.Context, dir string) (toolchain, error) {
	installed.Lock()
	defer installed.Unlock()
	if installed.toolchain == (toolchain{}) {
		chain, err := readToolchain(ctx, dir)
		if err != nil {
			return chain, err
		}
		installed.toolchain = chain
	}
	return installed.toolchain, nil
}

func readToolchain(ctx context.Context, dir string) (toolchain, error) {
	var t toolchain
	cmd := exec.CommandContext(ctx, "go", "env", "-json", "GOVERSION", "GOHOSTOS", "GOHOSTARCH")
	cmd.Dir = dir
	out, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return t, errors.New("tools are built from Go modules, and there is no go command on PATH: install Go 1.26 or newer")
	}
	if err != nil {
		return t, fmt.Errorf("go env: %w", withStderr(err))
	}
	if err := json.Unmarshal(out, &t); err != nil {
		return t, fmt.Errorf("go env: %w", err)
	}
	return t, nil
}

// withStderr adds what a failed command said to its error.
func withStderr(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) && len(exit.Stderr) > 0 {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
	}
	return err
}

// key names the content that a tool is built from: the group's files, the tool chain, the platform and the flags.
func (b *builder) key(t Tool, version string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, b.toolchain, buildFlags)
	for _, other := range b.table {
		if other.Group == t.Group { // one directory for the group: any of its tools' flags counts
			fmt.Fprintln(h, other.Name, other.Package, other.Flags)
		}
	}
	dir := b.groupDir(t.Group)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.HasSuffix(path, "_test.go") {
			return err
		}
		return hashFile(h, dir, path)
	})
	if err != nil {
		return "", fmt.Errorf("tool %s %s: read its sources: %w", t.Name, version, err)
	}
	return hex.EncodeToString(h.Sum(nil))[:keyLength], nil
}

func hashFile(h io.Writer, dir, path string) error {
	name, err := filepath.Rel(dir, path)
	if err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	content := sha256.New()
	if _, err := io.Copy(content, file); err != nil {
		return err
	}
	_, err = fmt.Fprintf(h, "%s %x\n", filepath.ToSlash(name), content.Sum(nil))
	return err
}
