package tools

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// unpack makes the directory of a version from downloaded packages, in one step, and lets the link lead there.
func (b *builder) unpack(ctx context.Context, p plan, a *apt) error {
	archives, err := filepath.Glob(filepath.Join(a.archives(), "*.deb"))
	if err != nil || len(archives) == 0 {
		return fmt.Errorf("apt holds %s for installed and has fetched nothing, but there is no %s on PATH", p.Package, p.Name)
	}
	slices.Sort(archives)
	content := filepath.Join(a.dir, "content")
	if err := os.MkdirAll(filepath.Join(content, "bin"), 0o755); err != nil {
		return err
	}
	key := sha256.New()
	for _, archive := range archives { // a name has the version
		fmt.Fprintln(key, filepath.Base(archive))
		if err := a.run(ctx, "dpkg-deb", "-x", archive, filepath.Join(content, "root")); err != nil {
			return err
		}
	}
	if err := configure(content); err != nil {
		return err
	}
	if !exists(filepath.Join(content, "bin", p.Name)) {
		return fmt.Errorf("no program %s in the packages %s", p.Name, strings.Join(p.debianPackages(), " "))
	}
	if err := suits(ctx, p.Name, filepath.Join(content, "bin", p.Name)); err != nil {
		return fmt.Errorf("the %s of the system's release does not suit: %w", p.Package, err)
	}
	if err := os.WriteFile(filepath.Join(content, versionFile), []byte(debianVersion(archives, p.debianPackages()[0])), 0o644); err != nil {
		return err
	}
	name := debian + "-" + hex.EncodeToString(key.Sum(nil))[:keyLength]
	if dir := filepath.Join(b.cache, name); !exists(dir) {
		if err := os.Rename(content, dir); err != nil {
			return err
		}
	}
	link := filepath.Join(a.dir, "link")
	if err := os.Symlink(name, link); err != nil {
		return err
	}
	return os.Rename(link, b.debianLink(p.Tool))
}

// configure does with unpacked packages what installing them would do, as far as their programs need it.
func configure(content string) error {
	root := filepath.Join(content, "root")
	if err := writeTrustStore(root); err != nil {
		return fmt.Errorf("certificates for Java: %w", err)
	}
	if err := relink(root); err != nil {
		return err
	}
	return writePrograms(content)
}

// relink lets absolute links lead to where they would if root were the system's: many a package keeps its settings in
// /etc and links to them. A link to what only the system has stays.
func relink(root string) error {
	for again := true; again; { // one may lead through another
		again = false
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.Type() != fs.ModeSymlink {
				return err
			}
			target, err := os.Readlink(path)
			if err != nil || !filepath.IsAbs(target) {
				return err
			}
			within := filepath.Join(root, target)
			if _, err := os.Lstat(within); err != nil {
				return nil
			}
			relative, err := filepath.Rel(filepath.Dir(path), within)
			if err != nil {
				return err
			}
			again = true
			if err := os.Remove(path); err != nil {
				return err
			}
			return os.Symlink(relative, path)
		})
		if err != nil {
			return fmt.Errorf("links of unpacked packages: %w", err)
		}
	}
	return nil
}

// wrapper runs a program with the libraries, and after the machine's with the programs, that came with it. It replaces
// itself, so a signal reaches the program.
const wrapper = `#!/bin/sh
bin=$(dirname "$(readlink -f "$0")")
root=$bin/../root
for dir in "$root"/lib/*-linux-gnu* "$root"/usr/lib/*-linux-gnu* "$root"/lib "$root"/usr/lib; do
	[ ! -d "$dir" ] || LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$dir
done
PATH=$PATH:$bin
export LD_LIBRARY_PATH PATH
exec "$root/%s" "$@"
`

// programs are patterns of those in packages; of two with one name the later counts: PostgreSQL's own, rather than
// Debian's, which choose between several installed versions.
var programs = []string{"usr/*bin/*", "usr/lib/postgresql/*/bin/*", "usr/lib/jvm/*/bin/*", "usr/share/maven/bin/*"}

// writePrograms writes a wrapper for every program below root.
func writePrograms(content string) error {
	root := filepath.Join(content, "root")
	for _, pattern := range programs {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return err
		}
		for _, path := range paths {
			if info, err := os.Stat(path); err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
				continue // such as a link to what only an installation has
			}
			program, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			script := fmt.Sprintf(wrapper, program)
			if err := os.WriteFile(filepath.Join(content, "bin", filepath.Base(path)), []byte(script), 0o755); err != nil {
				return err
			}
		}
	}
	return nil
}

// debianVersion is the version in the name of the package's archive, NAME_VERSION_ARCHITECTURE.deb.
func debianVersion(archives []string, name string) string {
	for _, archive := range archives {
		parts := strings.Split(filepath.Base(archive), "_")
		if len(parts) == 3 && parts[0] == name {
			return strings.ReplaceAll(parts[1], "%3a", ":")
		}
	}
	return "unknown"
}
