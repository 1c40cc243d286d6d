package config_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

const key = "controlplane:certTrust.platformCA.existing.privateKey"

// TestLoadBadFiles asserts what is said about files that cannot be used, with
// the line at fault. ROOT stands for the project's directory.
func TestLoadBadFiles(t *testing.T) {
	for _, test := range []struct{ name, content, want string }{
		{"value that is wrong", "config:\n  controlplane:certTrust:\n    platformCA:\n      source: exsting\n",
			`Pulumi.dev.yaml:4: controlplane:certTrust.platformCA.source: "exsting" must be one of selfSigned, existing; did you mean "existing"?`},
		{"value without the namespace", "config:\n  certTrust:\n    bundle:\n      name: A\n",
			`Pulumi.dev.yaml:4: controlplane:certTrust.bundle.name: "A" ` + name},
		{"value that is missing", "config:\n  controlplane:certTrust:\n    acme:\n      http01: {ingressClassName: a}\n      email: a@example.com\n",
			"Pulumi.dev.yaml:3: controlplane:certTrust.acme.server: is missing; must be a URL that starts with https://"},
		{"item of a list", "config:\n  certTrust:\n    acme: {server: 'https://example.com', email: a@example.com, route53: {region: eu-central-1, hostedZoneID: Z1}}\n    certManager:\n      dns01RecursiveNameservers:\n        - 1.1.1.1:53\n        - 1.1.1.1\n",
			`Pulumi.dev.yaml:7: controlplane:certTrust.certManager.dns01RecursiveNameservers[1]: "1.1.1.1" must be host:port, such as 1.1.1.1:53`},
		{"key of an item", "config:\n  storage:\n    postgresql:\n      clusters:\n        - name: platform\n          databases:\n            - name: iris\n            - name: gateway\n              owner: gateway\n            - name: controlplane\n              ownr: cp\n",
			`Pulumi.dev.yaml:11: controlplane:storage.postgresql.clusters[0].databases[2].ownr: is not a key; allowed are name, owner; did you mean "owner"?`},
		{"key of the file", "confg:\n  controlplane:availability: single\n",
			`Pulumi.dev.yaml:1: confg: is not a key; allowed are config, encryptedkey, encryptionsalt, environment, secretsprovider; did you mean "config"?`},
		{"component beside config", "config: {}\ncontrolplane:availability: single\n",
			`Pulumi.dev.yaml:2: controlplane:availability: is not a key; allowed are config, encryptedkey, encryptionsalt, environment, secretsprovider`},
		{"config that is a list", "config:\n  - controlplane:availability\n",
			"Pulumi.dev.yaml:1: config: a list must be a map with the keys controlplane:artifacts, controlplane:availability, controlplane:aws, controlplane:certTrust, controlplane:cluster, controlplane:identity, controlplane:monitoring, controlplane:network, controlplane:resources, controlplane:storage, pulumi:disable-default-providers"},
		{"list instead of a map", "- config\n",
			"Pulumi.dev.yaml:1: is not valid YAML: must be a map with the key config"},
		{"tab", "config:\n  controlplane:cluster:\n\tcontext: a\n",
			"Pulumi.dev.yaml:3: is not valid YAML: found character that cannot start any token (line 3 is indented with a tab; YAML allows spaces only)"},
		{"quote that does not end", "config:\n  controlplane:availability: \"single\n",
			"Pulumi.dev.yaml:2: is not valid YAML: found unexpected end of stream"},
		{"key twice", "config:\n  controlplane:availability: single\n  controlplane:availability: zonal\n",
			"Pulumi.dev.yaml:3: is not valid YAML: mapping key \"controlplane:availability\" already defined at line 2"},
		{"two documents", "config: {}\n---\nconfig: {}\n",
			"Pulumi.dev.yaml:2: is not valid YAML: a second document starts; must be one document"},
		{"secret in plain text", "config:\n  controlplane:certTrust:\n    platformCA:\n      source: existing\n      existing:\n        certificate: $CA\n        privateKey: $CA_KEY\n",
			"Pulumi.dev.yaml:7: " + key + ": is a secret in plain text; must be encrypted: pulumi config set --secret --path '" + key + "'"},
		{"encrypted value that is no secret", "config:\n  controlplane:availability:\n    secure: v1:abc\n",
			"Pulumi.dev.yaml:2: controlplane:availability: is encrypted, but is not a secret; must be in plain text, so that it can be checked and reviewed"},
		{"encrypted component", "config:\n  controlplane:cluster:\n    secure: v1:abc\n",
			"Pulumi.dev.yaml:2: controlplane:cluster: is encrypted, but is not a secret; must be in plain text, so that it can be checked and reviewed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := project(t, map[string]string{"Pulumi.dev.yaml": test.content})
			_, err := config.Load(root, "dev")
			assert.EqualError(t, err, test.want)
		})
	}
}

func TestLoadUnknownStack(t *testing.T) {
	root := project(t, map[string]string{"Pulumi.dev.yaml": "", "Pulumi.prod.yaml": ""})
	for stack, want := range map[string]string{
		"prdo":       `stack: "prdo" has no file Pulumi.prdo.yaml in ` + root + `; must be one of dev, prod; did you mean "prod"?`,
		"acme/x/dve": `stack: "acme/x/dve" has no file Pulumi.dve.yaml in ` + root + `; must be one of dev, prod; did you mean "dev"?`,
		"":           `stack: "" has no file Pulumi..yaml in ` + root + `; must be one of dev, prod`,
	} {
		_, err := config.Load(root, stack)
		assert.EqualError(t, err, want)
	}
	empty := project(t, map[string]string{})
	_, err := config.Load(empty, "dev")
	assert.EqualError(t, err, `stack: "dev" has no file Pulumi.dev.yaml in `+empty+`; there are no stack files`)
}

func TestLoadWrongDirectory(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(root, "Pulumi.dev.yaml"), nil, 0o600))
	_, err := config.Load(root, "dev")
	assert.EqualError(t, err, "Pulumi.yaml: is not in "+root+"; must be the root directory of the project")

	other := project(t, map[string]string{"Pulumi.dev.yaml": "", "Pulumi.yaml": "name: shop\nruntime: go\n"})
	_, err = config.Load(other, "dev")
	assert.EqualError(t, err, `Pulumi.yaml: name: "shop" must be controlplane, the namespace of the keys in stack files`)
}

// TestLoadSpellings reads the same file as different editors write it.
func TestLoadSpellings(t *testing.T) {
	const plain = "encryptionsalt: v1:abc\nconfig:\n  aws:region: eu-central-1\n  controlplane:availability: zonal\n  controlplane:cluster:\n    context: blue\n"
	for name, content := range map[string]string{
		"plain":             plain,
		"line ends of DOS":  strings.ReplaceAll(plain, "\n", "\r\n"),
		"byte order mark":   "\ufeff" + plain,
		"without namespace": "config:\n  availability: zonal\n  cluster: {context: blue}\n",
		"object as JSON":    "config:\n  controlplane:availability: zonal\n  controlplane:cluster: '{\"context\":\"blue\"}'\n",
		"alias and merge":   "config:\n  controlplane:availability: zonal\n  demo:x: &x {context: blue}\n  controlplane:cluster:\n    <<: *x\n",
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := config.Load(project(t, map[string]string{"Pulumi.dev.yaml": content}), "dev")
			require.NoError(t, err)
			assert.Equal(t, config.Zonal, cfg.Availability)
			assert.Equal(t, "blue", cfg.Cluster.Context)
			assert.Equal(t, "dev", cfg.Cluster.Identifier)
		})
	}
}

func TestLoadEmptyFiles(t *testing.T) {
	for name, content := range map[string]string{"empty": "", "comment": "# nothing yet\n", "empty config": "config:\n", "null": "null\n"} {
		t.Run(name, func(t *testing.T) {
			cfg, err := config.Load(project(t, map[string]string{"Pulumi.dev.yaml": content}), "org/controlplane/dev")
			require.NoError(t, err)
			assert.Equal(t, config.Single, cfg.Availability)
			assert.Equal(t, "dev", cfg.Cluster.Identifier)
		})
	}
}

// TestLoadProjectValues shows that values in Pulumi.yaml hold for stacks that
// do not set their own.
func TestLoadProjectValues(t *testing.T) {
	root := project(t, map[string]string{
		"Pulumi.yaml":     "name: controlplane\nruntime: go\nconfig:\n  availability: {type: string, default: zonal}\n  cluster: {value: {context: shared}}\n  identity: {value: {" + hostname + "}}\n  aws:region: eu-central-1\n",
		"Pulumi.dev.yaml": "config:\n  controlplane:availability: single\n",
	})
	cfg, err := config.Load(root, "dev")
	require.NoError(t, err)
	assert.Equal(t, config.Single, cfg.Availability)
	assert.Equal(t, "shared", cfg.Cluster.Context)
}

// TestLoadEncrypted shows that an encrypted value counts as set, and that what
// needs its content is left to the run that can decrypt it.
func TestLoadEncrypted(t *testing.T) {
	root := project(t, map[string]string{"Pulumi.dev.yaml": "config:\n  controlplane:certTrust:\n    platformCA:\n      source: existing\n      existing:\n        certificate: $CA\n        privateKey:\n          secure: v1:abc\n"})
	cfg, err := config.Load(root, "dev")
	require.NoError(t, err)
	secret := cfg.CertTrust.PlatformCA.Existing.PrivateKey
	assert.True(t, secret.IsSet())
	assert.False(t, secret.Known())
	assert.Empty(t, secret.Reveal())
}

func TestStacks(t *testing.T) {
	root := project(t, map[string]string{"Pulumi.prod.yaml": "", "Pulumi.dev.yaml": "", "Pulumi.dev.yaml.orig": "", "notes.yaml": ""})
	stacks, err := config.Stacks(root)
	require.NoError(t, err)
	assert.Equal(t, []string{"dev", "prod"}, stacks)

	_, err = config.Stacks(filepath.Join(root, "nowhere"))
	assert.ErrorContains(t, err, "list stacks: open")
}

// TestQuick bounds the time that a check takes in a process of its own,
// compiling the schema included; the fastest of several, because the machine
// may be busy.
func TestQuick(t *testing.T) {
	if root := os.Getenv("CONFIG_TEST_ROOT"); root != "" {
		start := time.Now()
		_, err := config.Load(root, "dev")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(root, "took"), []byte(time.Since(start).String()), 0o600))
		return
	}
	root := project(t, map[string]string{"Pulumi.dev.yaml": "config:\n  controlplane:availability: zonal\n"})
	fastest := time.Hour
	for range 3 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestQuick$")
		cmd.Env = append(os.Environ(), "CONFIG_TEST_ROOT="+root)
		output, err := cmd.CombinedOutput()
		require.NoError(t, err, string(output))
		text, err := os.ReadFile(filepath.Join(root, "took"))
		require.NoError(t, err)
		took, err := time.ParseDuration(string(text))
		require.NoError(t, err)
		fastest = min(fastest, took)
	}
	assert.Less(t, fastest, 100*time.Millisecond)
	t.Logf("load and check: %s", fastest)
}
