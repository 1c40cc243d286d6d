package tools

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// PulumiEnv names the environment variable that chooses the Pulumi command line: the path of one, or "build" for the
// pinned one whatever the machine has. Unset, one on PATH is taken if it suits.
const PulumiEnv = "PLATFORM_PULUMI"

const (
	pulumi = "pulumi"
	// A command line of the SDK's major version speaks its protocol; the minor is the oldest that was tried.
	pulumiMajor, pulumiMinor = 3, 200
)

// machinePulumi returns the machine's own Pulumi command line, or "" if the pinned one is to be built.
func (b *builder) machinePulumi(ctx context.Context) (string, error) {
	chosen := os.Getenv(PulumiEnv)
	if chosen == "build" {
		return "", nil
	}
	path, err := exec.LookPath(cmp.Or(chosen, pulumi))
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err == nil {
		err = checkPulumi(ctx, path)
	}
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	switch {
	case err == nil:
		return path, nil
	case chosen != "":
		return "", fmt.Errorf("%s=%s is no usable Pulumi command line: %w (allowed: a path, or \"build\")", PulumiEnv, chosen, err)
	case !errors.Is(err, exec.ErrNotFound):
		b.sayOnce(fmt.Sprintf("not using %s: %v", cmp.Or(path, pulumi), err))
	}
	return "", nil
}

var said sync.Map

// sayOnce tells the user once in this process.
func (b *builder) sayOnce(line string) {
	if _, before := said.LoadOrStore(line, true); !before {
		fmt.Fprintln(b.progress, line)
	}
}

// checkPulumi runs `pulumi version` and says what is wrong with it, if anything.
func checkPulumi(ctx context.Context, path string) error {
	cmd := exec.CommandContext(ctx, path, "version")
	cmd.Env = append(os.Environ(), "PULUMI_SKIP_UPDATE_CHECK=true")
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("pulumi version: %w", withStderr(err))
	}
	version := strings.TrimSpace(string(out))
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	if len(parts) == 3 {
		major, err1 := strconv.Atoi(parts[0])
		minor, err2 := strconv.Atoi(parts[1])
		if err1 == nil && err2 == nil && major == pulumiMajor && minor >= pulumiMinor {
			return nil
		}
	}
	return fmt.Errorf("its version is %q, wanted is v%d.%d.0 or a newer v%d", version, pulumiMajor, pulumiMinor, pulumiMajor)
}

// pulumiRoot returns a directory whose bin/pulumi is that binary.
func (b *builder) pulumiRoot(binary string) (string, error) {
	bin := filepath.Dir(binary)
	if filepath.Base(binary) == pulumi && filepath.Base(bin) == "bin" {
		return filepath.Dir(bin), nil
	}
	// One that lies elsewhere gets a link with the right name, per target.
	root := filepath.Join(b.cache, fmt.Sprintf("pulumi-link-%.8x", sha256.Sum256([]byte(binary))))
	link := filepath.Join(root, "bin", pulumi)
	if target, err := os.Readlink(link); err == nil && target == binary {
		return root, nil
	}
	if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
		return "", fmt.Errorf("link to %s: %w", binary, err)
	}
	if err := os.Symlink(binary, link); err != nil && !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("link to %s: %w", binary, err)
	}
	return root, nil
}
