package tools

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

const (
	// maven is the group of the distributions in Maven repositories. Maven itself fetches them, from the mirrors and
	// with the credentials that the user's settings name, through its own local repository.
	maven = "maven"
	mvn   = "mvn"

	// copyGoal copies an artifact out of Maven's repositories, without a project.
	copyGoal = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
)

// coordinates are those of an artifact, GROUP:ARTIFACT:VERSION:TYPE.
type coordinates struct{ artifact, version, extension string }

func (t Tool) coordinates() (coordinates, error) {
	parts := strings.Split(t.Package, ":")
	if len(parts) != 4 {
		return coordinates{}, fmt.Errorf("tool %s: %q is not GROUP:ARTIFACT:VERSION:TYPE", t.Name, t.Package)
	}
	return coordinates{parts[1], parts[2], parts[3]}, nil
}

func (c coordinates) file() string { return c.artifact + "-" + c.version + "." + c.extension }

// planMaven finds where the distribution's program is, or will be, in the cache. The distribution is the directory of
// the key; its checksum stands for its content.
func (b *builder) planMaven(t Tool) (plan, error) {
	c, err := t.coordinates()
	if err != nil {
		return plan{}, err
	}
	key := sha256.Sum256([]byte(t.Package + "\n" + t.SHA256))
	dir := filepath.Join(b.cache, t.Name+"-"+hex.EncodeToString(key[:])[:keyLength])
	return plan{Tool: t, version: c.version, binary: filepath.Join(dir, filepath.FromSlash(t.Program)), own: true}, nil
}

// fetchMaven lets Maven fetch the distribution, verifies it and unpacks it to its place in one step.
func (b *builder) fetchMaven(ctx context.Context, p plan, title string) error {
	client, err := b.find(mvn)
	if err != nil {
		return err
	}
	found, err := b.plan(ctx, client)
	if err != nil {
		return err
	}
	removePartial(b.cache)
	tmp, err := os.MkdirTemp(b.cache, partial)
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)

	report := startReport(b.progress, "fetching", "fetched", title)
	err = fetchDistribution(ctx, found.binary, p, tmp)
	report.finish(err == nil)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	if err := os.RemoveAll(p.dir()); err != nil { // one without its program is none
		return err
	}
	return os.Rename(filepath.Join(tmp, "content"), p.dir())
}

// fetchDistribution leaves the verified distribution in the directory content of dir.
func fetchDistribution(ctx context.Context, client string, p plan, dir string) error {
	c, err := p.coordinates()
	if err != nil {
		return err
	}
	// The directory has no project, whose settings would count. Maven remembers what it did not find unless told to look
	// again.
	err = runIn(ctx, dir, client, "--batch-mode", "--quiet", "--update-snapshots", "-Dstyle.color=never", copyGoal,
		"-Dartifact="+p.Package, "-DoutputDirectory="+dir)
	if err != nil {
		return fmt.Errorf("%w\n(Maven's mirrors and proxies are set in ~/.m2/settings.xml)", err)
	}
	archive := filepath.Join(dir, c.file())
	if err := verify(archive, p.SHA256); err != nil {
		return fmt.Errorf("%s is not what is pinned: %w (if Maven's local repository, ~/.m2/repository, holds a damaged one, remove it there)", p.Package, err)
	}
	content := filepath.Join(dir, "content")
	if err := os.Mkdir(content, 0o755); err != nil {
		return err
	}
	if err := runIn(ctx, dir, "tar", "-xzf", archive, "-C", content, "--strip-components=1", "--no-same-owner"); err != nil {
		return err
	}
	if program := filepath.Join(content, filepath.FromSlash(p.Program)); !exists(program) {
		return fmt.Errorf("no program %s in %s", p.Program, p.Package)
	}
	return nil
}

// verify compares the file's SHA-256 with the wanted one.
func verify(path, want string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != want {
		return fmt.Errorf("its SHA-256 is %s, wanted is %s", got, want)
	}
	return nil
}

// runIn runs a program in a directory; its error ends with what that said.
func runIn(ctx context.Context, dir, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(program), err, complaint(string(out)))
	}
	return nil
}

// control are the characters for terminals that Maven writes to whatever there is.
var control = regexp.MustCompile("\x1b\\[[0-9;]*m")

// complaint is what a program said, without Maven's advice on how to read it.
func complaint(said string) string {
	said, _, _ = strings.Cut(control.ReplaceAllString(said, ""), "[ERROR] \n")
	lines := strings.Split(strings.TrimSpace(said), "\n")
	return strings.Join(lines[max(0, len(lines)-kept):], "\n")
}
