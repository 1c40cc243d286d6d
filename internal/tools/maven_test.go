package tools

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mavenProject is a project with a distribution of one program, and a Maven that has it. Maven itself needs a network.
func mavenProject(t *testing.T) *builder {
	t.Helper()
	b, _ := project(t)
	dir := t.TempDir()
	write(t, dir, "greeter-1.2.3/bin/greet.sh", "#!/bin/sh\necho hello $(cat $(dirname $0)/../conf/name)\n")
	write(t, dir, "greeter-1.2.3/conf/name", "you")
	require.NoError(t, os.Chmod(filepath.Join(dir, "greeter-1.2.3", "bin", "greet.sh"), 0o755))
	archive := filepath.Join(dir, "served")
	out, err := exec.Command("tar", "-czf", archive, "-C", dir, "greeter-1.2.3").CombinedOutput()
	require.NoError(t, err, "%s", out)
	content, err := os.ReadFile(archive)
	require.NoError(t, err)
	b.table = []Tool{
		debianTool(mvn, "maven"),
		mavenTool("greeter", "org.example:greeter:1.2.3:tar.gz", "bin/greet.sh", fmt.Sprintf("%x", sha256.Sum256(content))),
	}
	fakeMaven(t, `[ "$artifact" = org.example:greeter:1.2.3:tar.gz ] && cp `+archive+` "$output/greeter-1.2.3.tar.gz"`)
	return b
}

// fakeMaven puts a Maven first on PATH that runs the script, which knows the artifact and the directory for it.
func fakeMaven(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, mvn, `#!/bin/sh
for word; do
	case $word in
	-Dartifact=*) artifact=${word#*=} ;;
	-DoutputDirectory=*) output=${word#*=} ;;
	esac
done
`+script+"\n")
	require.NoError(t, os.Chmod(filepath.Join(dir, mvn), 0o755))
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func TestDistributionIsFetchedOnce(t *testing.T) {
	b := mavenProject(t)
	before, err := b.list(t.Context())
	require.NoError(t, err)
	paths, err := b.build(t.Context(), []string{"greeter"})
	require.NoError(t, err)
	path := paths["greeter"]
	assert.Equal(t, Status{Name: "greeter", Version: "1.2.3", Group: maven, Path: path, Ready: false}, before[1])
	out, err := exec.Command(path).Output()
	require.NoError(t, err)
	assert.Equal(t, "hello you\n", string(out), "the rest of the distribution is there")
	assert.FileExists(t, filepath.Join(path, "..", "..", "conf", "name"))
	assert.Empty(t, glob(t, b.cache, partial+"*"), "nothing is left over")

	fakeMaven(t, "exit 1") // it is not asked again
	again, err := b.build(t.Context(), []string{"greeter"})
	require.NoError(t, err)
	assert.Equal(t, path, again["greeter"])
}

func TestAnotherDistributionGetsAnotherDirectory(t *testing.T) {
	b := mavenProject(t)
	first, err := b.planMaven(b.table[1])
	require.NoError(t, err)
	b.table[1].Package = "org.example:greeter:1.2.4:tar.gz"
	second, err := b.planMaven(b.table[1])
	require.NoError(t, err)
	assert.NotEqual(t, first.dir(), second.dir())
}

func TestWrongDistributionIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*testing.T, *builder)
		says   []string
	}{
		"another content": {
			func(t *testing.T, _ *builder) { fakeMaven(t, `echo other >"$output/greeter-1.2.3.tar.gz"`) },
			[]string{"org.example:greeter:1.2.3:tar.gz is not what is pinned", "SHA-256", "~/.m2/repository"},
		},
		"no such program": {
			func(_ *testing.T, b *builder) { b.table[1].Program = "bin/welcome.sh" },
			[]string{"no program bin/welcome.sh in org.example:greeter:1.2.3:tar.gz"},
		},
		"no network": {
			func(t *testing.T, _ *builder) {
				fakeMaven(t, `printf '\033[0m[ERROR] Could not transfer it: Unknown host repo\n[ERROR] \n[ERROR] Re-run Maven\n'; exit 1`)
			},
			[]string{"mvn: exit status 1\n[ERROR] Could not transfer it: Unknown host repo\n(Maven's mirrors"},
		},
		"no Maven": {
			func(t *testing.T, _ *builder) { t.Setenv("PATH", t.TempDir()) },
			[]string{"neither a mvn that suits nor apt-get is on PATH", "apt-get install maven"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := mavenProject(t)
			c.change(t, b)
			_, err := b.build(t.Context(), []string{"greeter"})
			for _, says := range append(c.says, "fetch tool") {
				assert.ErrorContains(t, err, says)
			}
			assert.Empty(t, glob(t, b.cache, "greeter-*"))
			assert.Empty(t, glob(t, b.cache, partial+"*"))
		})
	}
}
