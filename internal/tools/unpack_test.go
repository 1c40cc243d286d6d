package tools

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Packages link to their settings in /etc, which unpacked lie elsewhere.
func TestLinksStayWithinThePackages(t *testing.T) {
	root := t.TempDir()
	write(t, root, "etc/program/settings", "packaged")
	for link, target := range map[string]string{
		"usr/share/program/conf":        "/etc/program",
		"usr/share/program/settings":    "/usr/share/program/conf/settings", // through the other
		"usr/share/program/near":        "../program/conf/settings",
		"usr/share/program/of-system":   "/etc/os-release",
		"usr/share/program/of-nowhere":  "/etc/program/elsewhere",
		"usr/share/program/of-nowhere2": "missing",
	} {
		path := filepath.Join(root, link)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.Symlink(target, path))
	}
	require.NoError(t, relink(root))

	moved := filepath.Join(t.TempDir(), "moved") // as what is unpacked is
	require.NoError(t, os.Rename(root, moved))
	for _, path := range []string{"conf/settings", "settings", "near"} {
		content, err := os.ReadFile(filepath.Join(moved, "usr", "share", "program", path))
		if assert.NoError(t, err, path) {
			assert.Equal(t, "packaged", string(content))
		}
	}
	for link, target := range map[string]string{"of-system": "/etc/os-release", "of-nowhere": "/etc/program/elsewhere"} {
		left, err := os.Readlink(filepath.Join(moved, "usr", "share", "program", link))
		require.NoError(t, err)
		assert.Equal(t, target, left)
	}
}

func TestProgramsOutsideOfThePathAreFound(t *testing.T) {
	content := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(content, "bin"), 0o755))
	for path, says := range map[string]string{
		"usr/bin/initdb": "of any version", "usr/lib/postgresql/15/bin/initdb": "of 15",
		"usr/lib/jvm/java-17/bin/java": "runtime", "usr/share/maven/bin/mvn": "$(java) for Maven",
	} {
		write(t, content, "root/"+path, "#!/bin/sh\necho "+says+" $*\n")
		require.NoError(t, os.Chmod(filepath.Join(content, "root", path), 0o755))
	}
	write(t, content, "root/usr/share/maven/bin/m2.conf", "no program")
	require.NoError(t, configure(content))

	machine := t.TempDir() // which has none of them
	for _, program := range []string{"dirname", "readlink"} {
		path, err := exec.LookPath(program)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(path, filepath.Join(machine, program)))
	}
	t.Setenv("PATH", machine)
	for program, says := range map[string]string{
		"initdb": "of 15 now\n", "java": "runtime now\n", "mvn": "runtime for Maven now\n",
	} {
		out, err := exec.Command(filepath.Join(content, "bin", program), "now").Output()
		require.NoError(t, err, program)
		assert.Equal(t, says, string(out))
	}
	assert.NoFileExists(t, filepath.Join(content, "bin", "m2.conf"))
}

func TestNewestOfTheMachineIsTaken(t *testing.T) {
	dir := t.TempDir()
	for _, version := range []string{"14", "15", "16"} {
		write(t, dir, version+"/bin/controlplane-db", "#!/bin/sh\n")
	}
	for _, version := range []string{"14", "15"} { // 16 has no server installed
		require.NoError(t, os.Chmod(filepath.Join(dir, version, "bin", "controlplane-db"), 0o755))
	}
	found := debianSystem{bin: []string{filepath.Join(dir, "*", "bin")}}.find("controlplane-db")
	assert.Equal(t, filepath.Join(dir, "15", "bin", "controlplane-db"), found)
}

func TestJavaTrustsTheAuthoritiesOfTheMachine(t *testing.T) {
	root, system := t.TempDir(), filepath.Join(t.TempDir(), "bundle.crt")
	ours, packaged := authority(t), authority(t)
	write(t, root, "usr/share/ca-certificates/mozilla/Root.crt", packaged)
	t.Setenv("SSL_CERT_FILE", system)
	path := filepath.Join(root, javaAuthorities)

	require.NoError(t, writeTrustStore(root))
	assert.NoFileExists(t, path, "the machine has one, as the package that makes it is installed")

	write(t, root, "usr/share/ca-certificates-java/LICENSE", "")
	require.NoError(t, writeTrustStore(root))
	assert.Equal(t, []string{packaged}, trusted(t, path), "the machine has no authorities")

	require.NoError(t, os.WriteFile(system, []byte(ours+packaged), 0o644))
	require.NoError(t, writeTrustStore(root))
	assert.Equal(t, []string{ours, packaged}, trusted(t, path))
}

func authority(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// trusted are the authorities in a store, in PEM.
func trusted(t *testing.T, path string) []string {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	store := keystore.New(keystore.WithOrderedAliases())
	require.NoError(t, store.Load(file, []byte("changeit")))
	var all []string
	for _, alias := range store.Aliases() {
		entry, err := store.GetTrustedCertificateEntry(alias)
		require.NoError(t, err)
		all = append(all, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: entry.Certificate.Content})))
	}
	return all
}

func TestJavaHasToBeNewEnough(t *testing.T) {
	for says, want := range map[string]string{
		`openjdk version "17.0.15" 2025-04-15`: "",
		`openjdk version "25" 2025-09-16`:      "",
		`openjdk version "21-ea" 2023-09-19`:   "",
		`openjdk version "11.0.22" 2024-01-16`: `its version "11.0.22" is too old, wanted is 17 or newer`,
		`java version "1.8.0_402"`:             `its version "1.8.0_402" is too old, wanted is 17 or newer`,
		`no runtime present`:                   "says no version",
	} {
		dir := t.TempDir()
		write(t, dir, java, "#!/bin/sh\necho '"+says+"' >&2\n")
		path := filepath.Join(dir, java)
		require.NoError(t, os.Chmod(path, 0o755))
		b, progress := project(t)
		t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
		p, err := b.plan(t.Context(), debianTool(java, "default-jre-headless"))
		require.NoError(t, err)
		if want == "" {
			assert.Equal(t, path, p.binary, says)
			continue
		}
		assert.NotEqual(t, path, p.binary, says)
		assert.True(t, p.own, "one is fetched")
		assert.Contains(t, progress.String(), "not using "+path, says)
		assert.Contains(t, progress.String(), want)
	}
}
