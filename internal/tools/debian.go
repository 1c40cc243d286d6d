package tools

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// debian is the group of the programs that are no Go programs. One that the machine has is taken as it is. Otherwise
// apt fetches it, with its signatures and from the mirrors that the machine is set up for, into the cache: nothing of
// the system changes, and nobody needs to be root.
const debian = "debian"

// debianSystem is what the machine knows of packages.
type debianSystem struct {
	apt     string   // directory with sources.list and sources.list.d
	release string   // file with the codename of the system's release
	status  string   // file with the installed packages; "": the system's
	bin     []string // patterns of directories with programs that are not on everybody's PATH
}

var thisSystem = debianSystem{
	apt: "/etc/apt", release: "/etc/os-release",
	bin: []string{"/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/lib/postgresql/*/bin"},
}

// planDebian finds the program on the machine, or where it is, or will be, in the cache.
func (b *builder) planDebian(ctx context.Context, t Tool) (plan, error) {
	if path := b.system.find(t.Name); path != "" {
		err := suits(ctx, t.Name, path)
		if err == nil {
			return plan{Tool: t, version: "the machine's", binary: path}, nil
		}
		if ctx.Err() != nil {
			return plan{}, context.Cause(ctx)
		}
		b.sayOnce(fmt.Sprintf("not using %s: %v", path, err))
	}
	p := plan{Tool: t, version: "newest", binary: filepath.Join(b.debianLink(t), "bin", t.Name), own: true}
	// The link leads to the directory of a version, which stays while somebody uses it.
	if dir, err := filepath.EvalSymlinks(b.debianLink(t)); err == nil {
		p.binary = filepath.Join(dir, "bin", t.Name)
		if version, err := os.ReadFile(filepath.Join(dir, versionFile)); err == nil {
			p.version = string(version)
		}
	}
	return p, nil
}

func (s debianSystem) find(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		if path, err = filepath.Abs(path); err == nil {
			return path
		}
	}
	for _, pattern := range s.bin {
		paths, _ := filepath.Glob(filepath.Join(pattern, name)) // the patterns are valid
		slices.Reverse(paths)                                   // the newest first
		for _, path := range paths {
			if path, err := exec.LookPath(path); err == nil {
				return path
			}
		}
	}
	return ""
}

const versionFile = "version"

func (t Tool) debianPackages() []string { return strings.Fields(t.Package) }

func (b *builder) debianLink(t Tool) string {
	return filepath.Join(b.cache, debian+"-"+t.debianPackages()[0])
}

// fetchDebian gets the tool's packages, and those that they need and the machine lacks, and unpacks them.
func (b *builder) fetchDebian(ctx context.Context, p plan, title string) error {
	packages := strings.Join(p.debianPackages(), " ")
	for _, program := range []string{"apt-get", "apt-cache", "apt-config", "dpkg-deb"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("neither a %s that suits nor %s is on PATH: install what has %s (on Debian: apt-get install %s)", p.Name, program, p.Name, packages)
		}
	}
	removePartial(b.cache)
	tmp, err := os.MkdirTemp(b.cache, partial)
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)

	a := &apt{system: b.system, dir: tmp}
	report := startReport(b.progress, "fetching", "fetched", title)
	if err = a.download(ctx, p.debianPackages()); err == nil {
		err = b.unpack(ctx, p, a)
	}
	report.finish(err == nil)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("%w (or install it: apt-get install %s)", err, packages)
	}
	return nil
}

// apt runs apt's programs with lists, archives and sources of its own.
type apt struct {
	system debianSystem
	dir    string
}

func (a *apt) archives() string { return filepath.Join(a.dir, "archives") }

// download leaves the packages, and what they need beyond what is installed, as archives.
func (a *apt) download(ctx context.Context, packages []string) error {
	if err := a.configure(ctx); err != nil {
		return err
	}
	if err := a.run(ctx, "apt-get", "update"); err != nil {
		return err
	}
	// A release has in its backports what came after it.
	if err := a.run(ctx, "apt-cache", append([]string{"show"}, packages...)...); err != nil {
		added, err := a.addBackports()
		if err != nil {
			return err
		}
		if added {
			if err := a.run(ctx, "apt-get", "update"); err != nil {
				return err
			}
		}
	}
	args := []string{"install", "--yes", "--download-only", "--no-install-recommends"}
	return a.run(ctx, "apt-get", append(args, packages...)...)
}

// configure writes apt's configuration: how the machine reaches its mirrors, and directories of our own.
func (a *apt) configure(ctx context.Context) error {
	for _, dir := range []string{"lists/partial", "archives/partial", "sources"} {
		if err := os.MkdirAll(filepath.Join(a.dir, dir), 0o755); err != nil {
			return err
		}
	}
	if err := a.copySources(); err != nil {
		return err
	}
	acquire, err := exec.CommandContext(ctx, "apt-config", "dump", "Acquire").Output()
	if err != nil {
		return fmt.Errorf("apt-config: %w", withStderr(err))
	}
	config := bytes.NewBuffer(acquire)
	set := func(key, value string) { fmt.Fprintf(config, "%s %q;\n", key, value) }
	// The machine's other settings may run programs after an update.
	set("Dir::Etc::Main", os.DevNull)
	set("Dir::Etc::Parts", os.DevNull)
	set("Dir::Etc::SourceList", os.DevNull)
	set("Dir::Etc::SourceParts", filepath.Join(a.dir, "sources"))
	set("Dir::State::Lists", filepath.Join(a.dir, "lists"))
	set("Dir::State::Extended_States", filepath.Join(a.dir, "extended_states"))
	set("Dir::Cache", a.dir)
	set("Dir::Cache::Archives", a.archives())
	set("Dir::Log", a.dir)
	if a.system.status != "" {
		set("Dir::State::Status", a.system.status)
	}
	set("Debug::NoLocking", "true") // of the system's own state, which is only read
	set("APT::Sandbox::User", "root")
	set("Acquire::Languages", "none")
	set("Acquire::IndexTargets::deb::DEP-11::DefaultEnabled", "false")
	return os.WriteFile(a.config(), config.Bytes(), 0o644)
}

func (a *apt) config() string { return filepath.Join(a.dir, "apt.conf") }

// sources are the files with the machine's package sources, by a name that tells apt their format.
func (a *apt) sources() (map[string][]byte, error) {
	files, err := filepath.Glob(filepath.Join(a.system.apt, "sources.list.d", "*"))
	if err != nil {
		return nil, err
	}
	files = append(files, filepath.Join(a.system.apt, "sources.list"))
	sources := map[string][]byte{}
	for _, file := range files {
		if extension := filepath.Ext(file); extension != ".list" && extension != ".sources" {
			continue
		}
		content, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("package sources: %w", err)
		}
		sources[filepath.Base(file)] = content
	}
	return sources, nil
}

func (a *apt) copySources() error {
	sources, err := a.sources()
	if err != nil {
		return err
	}
	for name, content := range sources {
		if err := os.WriteFile(filepath.Join(a.dir, "sources", name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// run runs one of apt's programs; its error ends with what that said.
func (a *apt) run(ctx context.Context, program string, args ...string) error {
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), "APT_CONFIG="+a.config(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(said.String()), "\n")
		return fmt.Errorf("%s %s: %w\n%s", program, args[0], err, strings.Join(lines[max(0, len(lines)-kept):], "\n"))
	}
	return nil
}
