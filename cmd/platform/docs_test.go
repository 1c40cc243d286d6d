package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/tests/docs"
)

// proofs are the tests that do what a command of the documentation does, for commands that are not run here: they need a
// cluster.
var proofs = map[string]string{
	"platform up":             "tests/integration TestLifecycle",
	"platform destroy":        "tests/integration TestLifecycle",
	"platform outputs":        "cmd/platform TestPrintOutputs",
	"platform refresh":        "tests/integration TestLifecycle",
	"platform preflight":      "cmd/platform TestPreflight",
	"platform drift":          "tests/integration driftIsRepaired",
	"platform handover":       "tests/integration TestHandover",
	"platform handover check": "tests/integration TestHandover",
	"platform local":          "cmd/platform TestExamples",
	"platform local start":    "internal/local TestBackground",
	"platform local status":   "internal/local TestBackground",
	"platform local stop":     "internal/local TestConcurrentStartsShareOneAndStopLeavesNothing",
	"platform preview":        "cmd/platform TestDocumentedCommandsRun",
	"platform render":         "cmd/platform TestDocumentedCommandsRun",
	"platform validate":       "cmd/platform TestDocumentedCommandsRun",
	"platform completion":     "cmd/platform TestDocumentedCommandsRun",
	"ci/preview.sh":           "cmd/platform TestDocumentedCommandsRun",
	"ci/drift.sh":             "cmd/platform TestDriftInAPipeline",
}

// others are programs of others that the documentation uses, with the reason why no test runs them. Their lines have to be
// valid for a shell.
var others = map[string]string{
	"kubectl":     "looks at, or mends, what only a real cluster has; verbs and kinds are checked",
	"aws":         "needs an account",
	"pulumi":      "changes stack files and states of users; the engine is the one that every test runs",
	"psql":        "reaches a database in AWS",
	"curl":        "asks a platform that is up; tests/e2e gets a token in the same way",
	"istioctl":    "a program of Istio's, for meshes that are broken",
	"etcdctl":     "on a node of a control plane",
	"crictl":      "on a node",
	"journalctl":  "on a node",
	"timedatectl": "on a node",
	"chronyc":     "on a node",
	"dmesg":       "on a node",
	"ethtool":     "on a node",
	"iostat":      "on a node",
	"ip":          "on a node",
	"free":        "on a node",
	"df":          "on a node",
	"du":          "on a node",
	"ps":          "on a node",
}

// builtIn are words of the shell, and programs of every machine that what matters is piped through.
var builtIn = []string{
	"cd", "export", "source", "head", "tail", "tr", "grep", "sort", "xargs", "openssl", "base64", "jq", "awk", "cut", "echo", "wc",
	"while", "do", "done", "for", "if", "then", "fi", "sh", "sed", "true", "sleep", "uniq", "column", "read", "less", "nc", "getconf",
}

type command struct {
	where, line string
	words       []string
}

// documented are all commands of the documentation, pipes and lists taken apart.
func documented(t *testing.T) (commands []command) {
	t.Helper()
	pages, err := docs.Pages("../..")
	require.NoError(t, err)
	for _, p := range pages {
		for _, b := range p.Blocks {
			if !b.Shell() {
				continue
			}
			where := fmt.Sprintf("%s:%d", p.Path, b.Line)
			out, err := exec.Command("bash", "-n", "-c", b.Text).CombinedOutput()
			assert.NoError(t, err, "%s: %s", where, out)
			for _, line := range b.Commands() {
				for _, words := range simple(line) {
					commands = append(commands, command{where, line, words})
				}
			}
		}
		for _, span := range p.Spans {
			if ours.MatchString(span) && !strings.Contains(span, "<") {
				commands = append(commands, command{p.Path, span, simple(span)[0]})
			}
		}
	}
	require.Greater(t, len(commands), 400)
	return commands
}

// ours are words in the text that are commands of this project.
var ours = regexp.MustCompile(`^((bin/)?platform [a-z]|make [a-z]|go run \./|ci/[a-z]+\.sh)`)

// simple takes a line apart into simple commands, each into its words, without redirections and variables of its own.
func simple(line string) (commands [][]string) {
	var words []string
	end := func() {
		for len(words) > 0 && regexp.MustCompile(`^[A-Z_]+=`).MatchString(words[0]) {
			words = words[1:]
		}
		if len(words) > 0 {
			commands = append(commands, words)
		}
		words = nil
	}
	token := regexp.MustCompile(`(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|\$\([^)]*\)|<\([^)]*\)|[^\s|;&<>])+|\|\|?|&&?|;|[0-9]?[<>]+(?:&[0-9])?\s*[^\s|;&]*`)
	unquote := strings.NewReplacer(`'`, "", `"`, "", `\`, "")
	for _, word := range token.FindAllString(line, -1) {
		switch {
		case strings.Trim(word, "|&;") == "":
			end()
		case strings.HasPrefix(word, "<("):
			commands = append(commands, simple(strings.Trim(word, "<()"))...)
		case strings.ContainsAny(word[:1], "<>") || regexp.MustCompile(`^[0-9][<>]`).MatchString(word):
		default:
			words = append(words, unquote.Replace(word))
		}
	}
	end()
	return commands
}

// TestEveryDocumentedCommandIsKnown compares each command of the documentation with the program, the Makefile and the table
// of programs of others: no line is left that nobody vouches for.
func TestEveryDocumentedCommandIsKnown(t *testing.T) {
	used := map[string]bool{}
	for _, c := range documented(t) {
		switch program := c.words[0]; {
		case filepath.Base(program) == "platform":
			path, err := parse(newRoot(), c.words[1:])
			if assert.NoError(t, err, "%s: %s", c.where, c.line) {
				used[path] = true
				assert.True(t, proofs[path] != "", "%s: %s: no test does what %s does", c.where, c.line, path)
			}
		case program == "make":
			target(t, c)
		case program == "go":
			goCommand(t, c)
		case strings.HasPrefix(program, "ci/"):
			used[program] = true
			assert.FileExists(t, filepath.Join("../..", program), c.where)
			assert.Contains(t, proofs, program)
		case program == "kubectl":
			used[program] = true
			kubectl(t, c)
		case slices.Contains(builtIn, program):
		default:
			used[program] = true
			assert.True(t, others[program] != "", "%s: %s: nobody vouches for %s", c.where, c.line, program)
		}
	}
	for program := range others {
		assert.True(t, used[program], "no page uses %s any more", program)
	}
	for path, test := range proofs {
		dir, name, _ := strings.Cut(test, " ")
		assert.True(t, hasTest(t, filepath.Join("../..", dir), name), "%s is to be proven by %s, which there is not", path, test)
	}
}

// hasTest tells whether the tests of a package have a function of that name.
func hasTest(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	require.NoError(t, err)
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		if strings.Contains(string(content), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}

// parse finds the command of a command line, and takes its flags and arguments as cobra does before it runs one.
func parse(root *cobra.Command, args []string) (path string, err error) {
	root.InitDefaultCompletionCmd(args...)
	root.InitDefaultHelpCmd()
	cmd, rest, err := root.Find(args)
	if err != nil {
		return "", err
	}
	if cmd.Parent() != nil && cmd.Parent().Name() == "completion" {
		cmd = cmd.Parent() // one for each shell, and all the same
	}
	cmd.InitDefaultHelpFlag()
	if err := cmd.ParseFlags(rest); err != nil {
		return cmd.CommandPath(), err
	}
	if cmd.Name() == "completion" {
		return cmd.CommandPath(), nil
	}
	return cmd.CommandPath(), cmd.ValidateArgs(cmd.Flags().Args())
}

// target has make look for a target, and for what it would run.
func target(t *testing.T, c command) {
	t.Helper()
	out, err := exec.Command("make", append([]string{"-n", "-C", "../.."}, c.words[1:]...)...).CombinedOutput()
	assert.NoError(t, err, "%s: %s: %s", c.where, c.line, out)
	for _, line := range regexp.MustCompile(`(?m)^bin/platform .*$`).FindAllString(string(out), -1) {
		_, err := parse(newRoot(), strings.Fields(line)[1:])
		assert.NoError(t, err, "%s: %s: %s", c.where, c.line, line)
	}
}

// goCommand finds the packages that a command of Go is about.
func goCommand(t *testing.T, c command) {
	t.Helper()
	assert.Contains(t, []string{"run", "doc", "mod", "get", "test", "tool"}, c.words[1], c.where)
	for _, word := range c.words[2:] {
		if strings.HasPrefix(word, "./") && !strings.Contains(word, "...") {
			assert.DirExists(t, filepath.Join("../..", word), "%s: %s", c.where, c.line)
		}
	}
}

// kinds are those that the documentation has kubectl look at, in the singular, or as it shortens them.
var kinds = strings.Fields(`all configmap cm crd daemonset deployment event gateway httproute endpointslice hpa ingress ingressclass job
	lease namespace networkpolicy networkpolicie node pdb persistentvolume poddisruptionbudget pod pv pvc secret service serviceaccount
	storageclass validatingwebhookconfiguration mutatingwebhookconfiguration volumeattachment certificate certificaterequest clusterissuer
	challenge order issuer bundle servicemonitor podmonitor prometheusrule probe scrapeconfig prometheus alertmanager cluster backup pooler endpoint
	objectstore apiservice authorizationpolicie peerauthentication destinationrule virtualservice waypoint statefulset`)

// kubectl checks the verb, and the kinds that it is about.
func kubectl(t *testing.T, c command) {
	t.Helper()
	flags := pflag.NewFlagSet("kubectl", pflag.ContinueOnError)
	flags.ParseErrorsAllowlist.UnknownFlags = true
	flags.StringP("namespace", "n", "", "")
	flags.StringP("selector", "l", "", "")
	flags.StringP("output", "o", "", "")
	flags.StringP("patch", "p", "", "")
	flags.StringP("container", "c", "", "")
	flags.StringP("label-columns", "L", "", "")
	flags.StringP("filename", "f", "", "")
	flags.BoolP("all-namespaces", "A", false, "")
	require.NoError(t, flags.Parse(c.words[1:]), "%s: %s", c.where, c.line)
	verbs := []string{
		"get", "describe", "logs", "exec", "port-forward", "create", "patch", "label", "rollout", "run", "annotate", "delete", "top",
		"cordon", "uncordon", "drain", "debug", "apply", "auth", "scale", "edit", "cp", "wait", "events", "api-resources", "cnpg", "version",
	}
	if !assert.NotEmpty(t, flags.Args(), "%s: %s", c.where, c.line) || !assert.Contains(t, verbs, flags.Arg(0), "%s: %s", c.where, c.line) {
		return
	}
	if !slices.Contains([]string{"get", "describe", "delete", "patch", "edit"}, flags.Arg(0)) || flags.NArg() < 2 {
		return
	}
	for kind := range strings.SplitSeq(flags.Arg(1), ",") {
		kind, _, _ = strings.Cut(kind, "/")
		if kind == strings.ToUpper(kind) || strings.Contains(kind, ".") { // whatever the reader looks for; or one with its group
			continue
		}
		singular := strings.TrimSuffix(strings.ToLower(kind), "s")
		assert.True(t, slices.Contains(kinds, singular) || slices.Contains(kinds, kind), "%s: %s: there is no kind %s", c.where, c.line, kind)
	}
}

// TestExamples walks through all commands: each says what it is for and how it is used, and the program takes what it shows.
func TestExamples(t *testing.T) {
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.Hidden {
			return
		}
		assert.NotEmpty(t, cmd.Short, cmd.CommandPath())
		assert.NotEmpty(t, strings.TrimSpace(cmd.Example), "%s has no example", cmd.CommandPath())
		for line := range strings.Lines(cmd.Example) {
			line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
			var shown []string
			for _, words := range simple(strings.NewReplacer("$(", "; ", ")", "").Replace(line)) {
				if words[0] == "platform" {
					path, err := parse(newRoot(), words[1:])
					assert.NoError(t, err, "%s: %s", cmd.CommandPath(), line)
					shown = append(shown, path)
				}
			}
			if line != "" && !strings.HasPrefix(line, "#") {
				assert.NotEmpty(t, shown, "%s: %s", cmd.CommandPath(), line)
			}
		}
		for _, below := range cmd.Commands() {
			walk(below)
		}
	}
	walk(newRoot())
}

// TestDocumentedCommandsRun runs those of the documentation that need no cluster, as they stand there, in a clone.
func TestDocumentedCommandsRun(t *testing.T) {
	t.Parallel()
	dir, environment := clone(t)
	ran := map[string]bool{}
	run := func(c command, line string) {
		if ran[line] {
			return
		}
		ran[line] = true
		cmd := exec.Command("bash", "-c", line)
		cmd.Dir, cmd.Env = dir, environment
		out, err := cmd.CombinedOutput()
		assert.NoError(t, err, "%s: %s: %s", c.where, line, out)
	}
	for _, c := range documented(t) {
		switch {
		case !strings.Contains(c.where, ":"): // in the text, where it says no more than what is meant
		case slices.Contains(c.words, "validate"), slices.Contains(c.words, "completion") && strings.HasPrefix(c.line, "source"):
			run(c, c.line)
		case slices.Contains(c.words, "render") && slices.Contains(c.words, "dev"), c.line == "STACK=dev ci/preview.sh":
			run(c, c.line)
		}
	}
	assert.GreaterOrEqual(t, len(ran), 5, "validate, the same as JSON, completion, render, and a preview")
	assert.FileExists(t, filepath.Join(dir, "preview", "report.md"))
	assert.DirExists(t, filepath.Join(dir, "manifests"))
}
