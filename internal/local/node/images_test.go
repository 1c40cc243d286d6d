package node

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
)

func TestIsRealByAnyRegistry(t *testing.T) {
	for image, want := range map[string]bool{
		"cert-manager-controller":                             true,
		"quay.io/jetstack/cert-manager-controller:v1.21.2":    true,
		"mirror.example.test:5000/x/y/trust-manager@sha256:0": true,
		"quay.io/jetstack/cert-manager-controller-extra:v1":   false,
		"quay.io/trust-manager/other:v1":                      false,
		"quay.io/jetstack/trust-pkg-debian-bookworm:1":        false, // an init container's
		"": false,
	} {
		spec := &corev1.PodSpec{Containers: []corev1.Container{{Image: image}, {Image: "trust-manager"}}}
		assert.Equal(t, want, IsReal(spec), image)
	}
	assert.False(t, IsReal(&corev1.PodSpec{}))
}

func TestListenersAreMoved(t *testing.T) {
	var free ports
	program := image{listeners: []listener{
		{flag: "--secure-port", port: 6443},
		{flag: "--metrics-listen-address", port: 9402, host: true},
		{flag: "--health", port: 6080, host: true},
	}}
	given := []string{"--v=2", "--secure-port", "10250", "--metrics-listen-address=:8080"}
	args, byPort, release, err := program.listen(given, &free)
	require.NoError(t, err)
	require.Len(t, byPort, 3)
	local := func(port int) string { return strconv.Itoa(byPort[port]) }
	assert.Equal(t, []string{
		"--v=2", "--secure-port", local(10250), "--metrics-listen-address=127.0.0.1:" + local(8080), "--health=127.0.0.1:" + local(6080),
	}, args)
	assert.Equal(t, []string{"--v=2", "--secure-port", "10250", "--metrics-listen-address=:8080"}, given, "the pod's own arguments stay")
	for _, port := range byPort {
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		require.NoError(t, err)
		assert.NoError(t, listener.Close())
	}
	release()
	assert.Empty(t, free.taken)
}

func TestListenerThatIsSwitchedOffStaysOff(t *testing.T) {
	program := image{listeners: []listener{{flag: "--metrics-listen-address", port: 9402, host: true}}}
	args, byPort, _, err := program.listen([]string{"--metrics-listen-address=0"}, &ports{})
	require.NoError(t, err)
	assert.Empty(t, byPort)
	assert.Equal(t, []string{"--metrics-listen-address=0"}, args)

	_, _, _, err = program.listen([]string{"--metrics-listen-address=:http"}, &ports{})
	assert.ErrorContains(t, err, `argument --metrics-listen-address=:http: ":http" is not a port`)
}

func TestExpand(t *testing.T) {
	value := func(name string) (string, bool) {
		return map[string]string{"A": "a", "EMPTY": ""}[name], name != "NONE"
	}
	for text, want := range map[string]string{
		"":                 "",
		"$(A)":             "a",
		"x$(A)y$(A)z":      "xayaz",
		"$(EMPTY)":         "",
		"$(NONE)":          "$(NONE)",
		"$$(A)":            "$(A)",
		"$$$(A)":           "$a",
		"$A ${A} $(A $":    "$A ${A} $(A $",
		"--key=$(A)=$$":    "--key=a=$",
		"$(NONE)$(A)$$(A)": "$(NONE)a$(A)",
	} {
		assert.Equal(t, want, expand(text, value), text)
	}
}

func TestPathsAreRewrittenAsAWhole(t *testing.T) {
	p := paths{{"/var/run/tls", "/real/tls"}, {"/packages", "/real/p"}, {"/tls", "/real/t"}}
	for text, want := range map[string]string{
		"/tls":                          "/real/t",
		"--dir=/tls":                    "--dir=/real/t",
		"--dir=/tls/tls.crt,/packages/": "--dir=/real/t/tls.crt,/real/p/",
		"/var/run/tls/tls":              "/real/tls/tls",
		"/tlsx":                         "/tlsx",
		"/other/tls":                    "/other/tls",
		"https://host/tls":              "https://host/tls",
		"-c /packages/x:/tls":           "-c /real/p/x:/real/t",
	} {
		assert.Equal(t, want, p.rewrite(text), text)
	}
}

func TestVolumeChangesAtOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "volume")
	files := func(content string, names ...string) map[string]file {
		all := map[string]file{}
		for _, name := range names {
			all[name] = file{[]byte(content), 0o400}
		}
		return all
	}
	require.NoError(t, writeAtomically(dir, files("one", "tls.crt", "tls.key", "sub/file")))
	reader, err := filepath.EvalSymlinks(filepath.Join(dir, "..data"))
	require.NoError(t, err)

	require.NoError(t, writeAtomically(dir, files("one", "tls.crt", "tls.key", "sub/file")))
	still, err := filepath.EvalSymlinks(filepath.Join(dir, "..data"))
	require.NoError(t, err)
	assert.Equal(t, reader, still, "nothing changes without need, because programs watch these files")

	require.NoError(t, writeAtomically(dir, files("two", "tls.crt", "new")))
	visible := map[string]string{}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), "..") {
			content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
			require.NoError(t, err)
			visible[entry.Name()] = string(content)
		}
	}
	assert.Equal(t, map[string]string{"tls.crt": "two", "new": "two"}, visible)
	assert.NoDirExists(t, reader, "what nobody sees any more is removed")
	info, err := os.Stat(filepath.Join(dir, "new"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o400), info.Mode().Perm())

	before, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.ErrorContains(t, writeAtomically(dir, files("x", "../escape")), "not a path inside of a volume")
	after, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, after, len(before), "what is refused leaves nothing behind")
}
