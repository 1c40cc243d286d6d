package artifact

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing/fstest" // an in-memory fs.FS; it brings no test machinery along

	"github.com/agext/levenshtein"
	"golang.org/x/mod/module"
)

// module returns a path of a pinned module, from the module cache when that
// holds the verified version, else through the go command.
func (s *Store) module(ctx context.Context, ref Ref) (*Tree, error) {
	version, ok := s.pins[ref.Module]
	if !ok {
		return nil, fmt.Errorf("artifacts/go.mod does not pin %s%s", ref.Module, s.suggestion(ref.Module))
	}
	mod := module.Version{Path: ref.Module, Version: version}
	sum, ok := s.sums[mod.String()]
	if !ok {
		return nil, fmt.Errorf("artifacts/go.sum has no hash of %s: run 'go mod download %s' in artifacts and commit go.sum", mod, mod)
	}
	dir, ok := cached(mod, sum)
	if !ok {
		var err error
		if dir, err = s.download(ctx, mod, sum); err != nil {
			return nil, err
		}
	}
	name := strings.ReplaceAll(ref.Path, "{version}", strings.TrimPrefix(version, "v"))
	tree, err := subtree(os.DirFS(dir), name)
	if err != nil {
		return nil, fmt.Errorf("module %s: %w", mod, err)
	}
	return &Tree{FS: tree, Version: version, Origin: path.Join(mod.String(), name)}, nil
}

func (s *Store) suggestion(name string) string {
	best, distance := "", 1+len(name)/2
	for pin := range s.pins {
		if d := levenshtein.Distance(name, pin, nil); d < distance || d == distance && pin < best {
			best, distance = pin, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", best)
}

// cached finds a module in the module cache without running the go command,
// which would cost every preview its start-up time. The cache is trusted as
// the go command trusts it: by the hash that it noted when it unpacked the zip.
func cached(mod module.Version, sum string) (string, bool) {
	root := moduleCache()
	escapedPath, err := module.EscapePath(mod.Path)
	if err != nil || root == "" {
		return "", false
	}
	escapedVersion, err := module.EscapeVersion(mod.Version)
	if err != nil {
		return "", false
	}
	download := filepath.Join(root, "cache", "download", filepath.FromSlash(escapedPath), "@v", escapedVersion)
	// The go command leaves this mark while it unpacks.
	if _, err := os.Stat(download + ".partial"); err == nil {
		return "", false
	}
	hash, err := os.ReadFile(download + ".ziphash")
	if err != nil || strings.TrimSpace(string(hash)) != sum {
		return "", false
	}
	dir := filepath.Join(root, filepath.FromSlash(escapedPath)+"@"+escapedVersion)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return "", false
	}
	return dir, true
}

func moduleCache() string {
	if dir := os.Getenv("GOMODCACHE"); dir != "" {
		return dir
	}
	if list := filepath.SplitList(os.Getenv("GOPATH")); len(list) > 0 && list[0] != "" {
		return filepath.Join(list[0], "pkg", "mod")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, "go", "pkg", "mod")
}

// downloaded is what `go mod download -json` prints.
type downloaded struct {
	Dir   string
	Sum   string
	Error string
}

func (s *Store) download(ctx context.Context, mod module.Version, sum string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", mod.String())
	cmd.Dir = filepath.Join(s.root, "artifacts")
	cmd.Env = append(os.Environ(), "GOFLAGS="+os.Getenv("GOFLAGS")+" -mod=readonly", "GOWORK=off")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	runErr := cmd.Run()
	if errors.Is(runErr, exec.ErrNotFound) {
		return "", fmt.Errorf("downloading %s needs the go command: %w", mod, runErr)
	}
	if ctx.Err() != nil {
		return "", fmt.Errorf("downloading %s: %w", mod, ctx.Err())
	}
	var got downloaded
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		got.Error = strings.TrimSpace(stderr.String())
		if got.Error == "" && runErr != nil {
			got.Error = runErr.Error()
		}
	}
	switch {
	case strings.Contains(got.Error, "checksum mismatch") || got.Error == "" && got.Sum != sum:
		return "", fmt.Errorf("module %s is not the one that artifacts/go.sum names (%s): what the mirror serves was changed\n%s", mod, sum, got.Error)
	case got.Error != "":
		return "", fmt.Errorf("downloading %s through GOPROXY=%s failed; on a closed network set GOPROXY to a mirror that has it\n%s", mod, goProxy(), got.Error)
	case runErr != nil:
		return "", fmt.Errorf("downloading %s: %w", mod, runErr)
	}
	return got.Dir, nil
}

func goProxy() string {
	out, err := exec.Command("go", "env", "GOPROXY").Output()
	if err != nil {
		return os.Getenv("GOPROXY")
	}
	return strings.TrimSpace(string(out))
}

// readSums reads the hashes of module zips, by module@version.
func readSums(name string) (map[string]string, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading the bill of materials: %w", err)
	}
	sums := map[string]string{}
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) != 3 || strings.HasSuffix(fields[1], "/go.mod") {
			continue
		}
		sums[fields[0]+"@"+fields[1]] = fields[2]
	}
	return sums, nil
}

// subtree returns the directory name of fsys, or a tree of the one file name.
func subtree(fsys fs.FS, name string) (fs.FS, error) {
	if name == "" {
		return fsys, nil
	}
	name = path.Clean(name)
	info, err := fs.Stat(fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no %s%s", name, siblings(fsys, path.Dir(name)))
	}
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return fs.Sub(fsys, name)
	}
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	return fstest.MapFS{path.Base(name): {Data: data, Mode: 0o444}}, nil
}

// siblings lists the nearest directory that does exist, because paths inside
// a module move between versions.
func siblings(fsys fs.FS, dir string) string {
	for ; ; dir = path.Dir(dir) {
		entries, err := fs.ReadDir(fsys, dir)
		if err != nil {
			if dir == "." {
				return ""
			}
			continue
		}
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		slices.Sort(names)
		if len(names) > 20 {
			names = append(names[:20], "…")
		}
		return fmt.Sprintf("; %s has %s", dir, strings.Join(names, ", "))
	}
}
