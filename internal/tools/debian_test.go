package tools

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const greeter = "/usr/sbin/controlplane-greeter" // on no machine

// mirror is a package mirror with a release, whose backports have a program that needs something of the release.
func mirror(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	publish(t, root, "oldest", debianPackage(t, root, "libgreeting", "1.0-1", "", "usr/share/greeting", "hello"))
	publish(t, root, "oldest-backports",
		debianPackage(t, root, "greeter", "1:2.0-1~bpo1", "Depends: libgreeting (>= 1.0)\n", strings.TrimPrefix(greeter, "/"),
			"#!/bin/sh\necho $(cat $(dirname $0)/../share/greeting) $* with $LD_LIBRARY_PATH\n"))
	return root
}

// debianPackage builds a package with one file, and returns its entry in a mirror's index.
func debianPackage(t *testing.T, root, name, version, fields, file, content string) string {
	t.Helper()
	dir := t.TempDir()
	control := fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: tests\nDescription: a test\n%s", name, version, fields)
	write(t, dir, "DEBIAN/control", control)
	write(t, dir, file, content)
	require.NoError(t, os.Chmod(filepath.Join(dir, file), 0o755))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "usr", "lib"), 0o755))
	archive := filepath.Join(root, "pool", name+".deb")
	require.NoError(t, os.MkdirAll(filepath.Dir(archive), 0o755))
	out, err := exec.Command("dpkg-deb", "--root-owner-group", "--build", dir, archive).CombinedOutput()
	require.NoError(t, err, "%s", out)
	built, err := os.ReadFile(archive)
	require.NoError(t, err)
	return fmt.Sprintf("%sFilename: pool/%s.deb\nSize: %d\nSHA256: %x\n", control, name, len(built), sha256.Sum256(built))
}

func publish(t *testing.T, root, suite, index string) {
	t.Helper()
	arch, err := exec.Command("dpkg", "--print-architecture").Output()
	require.NoError(t, err)
	packages := fmt.Sprintf("main/binary-%s/Packages", bytes.TrimSpace(arch))
	write(t, root, "dists/"+suite+"/"+packages, index)
	write(t, root, "dists/"+suite+"/Release", fmt.Sprintf("Suite: %s\nCodename: %[1]s\nComponents: main\nSHA256:\n %x %d %s\n",
		suite, sha256.Sum256([]byte(index)), len(index), packages))
}

func debianProject(t *testing.T) *builder {
	t.Helper()
	b, _ := project(t)
	dir := t.TempDir()
	b.table = []Tool{{Name: "controlplane-greeter", Group: debian, Package: "greeter"}}
	b.system = debianSystem{apt: dir, release: filepath.Join(dir, "release"), status: filepath.Join(dir, "status")}
	write(t, dir, "status", "") // nothing is installed
	write(t, dir, "release", "ID=debian\nVERSION_CODENAME=oldest\n")
	return b
}

func TestDebianPackagesAreFetchedWithWhatTheyNeed(t *testing.T) {
	b := debianProject(t)
	names := []string{"controlplane-greeter"}
	if _, err := exec.LookPath("apt-get"); err != nil {
		_, err := b.build(t.Context(), names)
		require.ErrorContains(t, err, "apt-get install greeter")
		return
	}
	write(t, b.system.apt, "sources.list", "deb [trusted=yes] copy:"+mirror(t)+" oldest main\n")

	before, err := b.list(t.Context())
	require.NoError(t, err)
	assert.False(t, before[0].Ready)

	paths, err := b.build(t.Context(), names)
	require.NoError(t, err)
	out, err := exec.Command(paths[names[0]], "to", "you").Output()
	require.NoError(t, err)
	assert.Regexp(t, `^hello to you with .*/root/usr/lib\n$`, string(out))

	after, err := b.list(t.Context())
	require.NoError(t, err)
	assert.Equal(t, Status{Name: names[0], Version: "1:2.0-1~bpo1", Group: debian, Path: paths[names[0]], Ready: true}, after[0])

	// What is fetched stays, also without a mirror.
	require.NoError(t, os.Remove(filepath.Join(b.system.apt, "sources.list")))
	again, err := b.build(t.Context(), names)
	require.NoError(t, err)
	assert.Equal(t, paths, again)
	assert.Empty(t, glob(t, b.cache, partial+"*"), "nothing is left over")
}

func TestMissingDebianPackageIsNamed(t *testing.T) {
	b := debianProject(t)
	_, err := b.build(t.Context(), []string{"controlplane-greeter"})
	assert.ErrorContains(t, err, "fetch tool controlplane-greeter")
	assert.ErrorContains(t, err, "apt-get install greeter")
}

func TestProgramsOfTheMachineAreTaken(t *testing.T) {
	b := debianProject(t)
	sbin := t.TempDir()
	b.system.bin = []string{sbin}
	own := filepath.Join(sbin, "controlplane-greeter")
	require.NoError(t, os.WriteFile(own, []byte("#!/bin/sh\n"), 0o755))
	paths, err := b.build(t.Context(), []string{"controlplane-greeter"})
	require.NoError(t, err)
	assert.Equal(t, own, paths["controlplane-greeter"])
}

func TestOnlyModulesAreBuiltUnasked(t *testing.T) {
	b := &builder{table: table}
	assert.Subset(t, All(), []string{"etcd", "haproxy", "valkey-server"})
	assert.Contains(t, b.modules(), "etcd")
	assert.NotContains(t, b.modules(), "haproxy")
}

func TestBackportsComeFromTheMirrorOfTheRelease(t *testing.T) {
	for name, c := range map[string]struct{ extension, sources, want string }{
		"one line each": {".list", `# deb http://mirror/debian stable main
deb [arch=amd64 signed-by=/k.gpg] http://mirror/debian stable main contrib
deb http://mirror/debian stable-updates main
deb-src http://mirror/debian stable main
`, "deb [arch=amd64 signed-by=/k.gpg] http://mirror/debian stable-backports main contrib\n"},
		"stanzas": {".sources", `Types: deb deb-src
# a comment
URIs: http://mirror/debian
Suites: stable stable-updates
Components: main

Types: deb
URIs: http://mirror/security
Suites: stable-security
Components: main

Types: deb-src
URIs: http://mirror/sources
Suites: stable
Components: main
`, "Types: deb deb-src\n# a comment\nURIs: http://mirror/debian\nSuites: stable-backports\nComponents: main\n"},
	} {
		assert.Equal(t, c.want, string(backports(c.extension, []byte(c.sources), "stable")), name)
	}
}
