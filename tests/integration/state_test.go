package integration

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	pulumiconfig "github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/sig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// stateDir is where the engine keeps everything about the stacks of an environment.
func (e *env) stateDir() string {
	if published {
		return filepath.Join(e.project, "state")
	}
	return filepath.Join(e.cp.Dir, "pulumi")
}

// recorded is a state as it is on disk, secrets encrypted.
type recorded struct {
	Resources []map[string]any `json:"resources"`
	Pending   []any            `json:"pending_operations"`
	Secrets   struct {
		State struct {
			Salt string `json:"salt"`
		} `json:"state"`
	} `json:"secrets_providers"`
}

// recorded reads the state of a stack.
func (e *env) recorded(stack string) recorded {
	e.t.Helper()
	dir := e.stateDir()
	if !published {
		dir = filepath.Join(dir, "state")
	}
	data, err := os.ReadFile(filepath.Join(dir, ".pulumi", "stacks", "controlplane", stack+".json"))
	require.NoError(e.t, err)
	var file struct {
		Checkpoint struct {
			Latest recorded `json:"latest"`
		} `json:"checkpoint"`
	}
	require.NoError(e.t, json.Unmarshal(data, &file))
	require.NotEmpty(e.t, file.Checkpoint.Latest.Resources)
	return file.Checkpoint.Latest
}

// requireNothingLost fails when an object in the cluster that a Pulumi plugin has made or patched is not in the stack's
// state, or the other way round. The owners of an object's fields tell who has made it, whatever its labels are.
func requireNothingLost(t *testing.T, e *env, stack string) {
	t.Helper()
	state := e.recorded(stack)
	assert.Empty(t, state.Pending, "what an operation has not finished")
	var inState []string
	for _, r := range state.Resources {
		token, ours := strings.CutPrefix(r["type"].(string), "kubernetes:")
		if !ours {
			continue
		}
		version, kind, _ := strings.Cut(token, ":")
		group, _, _ := strings.Cut(version, "/")
		id := r["id"].(string)
		if !strings.Contains(id, "/") {
			id = "/" + id
		}
		inState = append(inState, fmt.Sprintf("%s %s %s", strings.TrimSuffix(group, "core"), strings.TrimSuffix(kind, "Patch"), id))
	}
	slices.Sort(inState)
	inState = slices.Compact(inState)
	require.Greater(t, len(inState), 50)
	made, all := e.made()
	assert.Subset(t, inState, made, "what is in the cluster is in the state")
	assert.Subset(t, all, inState, "what is in the state is in the cluster")
}

// made are the objects in the cluster that a Pulumi plugin has made or patched, and all objects.
func (e *env) made() (made, all []string) {
	e.t.Helper()
	lists, err := e.Clients.Discovery().ServerPreferredResources()
	require.NoError(e.t, err)
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		require.NoError(e.t, err)
		for _, r := range list.APIResources {
			if !slices.Contains(r.Verbs, "list") {
				continue
			}
			found, err := e.Dynamic.Resource(gv.WithResource(r.Name)).List(e.Context(), metav1.ListOptions{})
			require.NoError(e.t, err)
			for _, o := range found.Items {
				name := fmt.Sprintf("%s %s %s/%s", gv.Group, r.Kind, o.GetNamespace(), o.GetName())
				all = append(all, name)
				if slices.ContainsFunc(o.GetManagedFields(), func(m metav1.ManagedFieldsEntry) bool {
					return strings.HasPrefix(m.Manager, "pulumi-kubernetes")
				}) {
					made = append(made, name)
				}
			}
		}
	}
	require.Greater(e.t, len(made), 50)
	return made, all
}

// secretLength is how long a secret is at least that is looked for: shorter ones would be found anywhere.
const secretLength = 12

// requireNoPlainSecrets searches everything that the engine has written about the stacks of an environment, and further
// texts such as a run's progress, for every generated secret: as it is, and in base64 at any offset.
func requireNoPlainSecrets(t *testing.T, e *env, stack string, texts ...string) {
	t.Helper()
	secrets := e.secrets(stack)
	require.NotEmpty(t, secrets)
	everything := map[string]string{}
	for i, text := range texts {
		everything[fmt.Sprintf("text %d", i+1)] = text
	}
	err := filepath.WalkDir(e.stateDir(), func(path string, entry fs.DirEntry, err error) error {
		name := strings.TrimPrefix(filepath.Base(path), ".")
		// What is simulated is no state: it stands for the service that must know the secrets.
		if err != nil || !entry.Type().IsRegular() || strings.HasPrefix(name, "keycloak.json") || strings.HasPrefix(name, "aws.json") {
			return err
		}
		data, err := os.ReadFile(path)
		everything[path] = string(data)
		return err
	})
	require.NoError(t, err)
	for place, text := range everything {
		for secret, what := range secrets {
			for _, spelling := range spellings(secret) {
				if strings.Contains(text, spelling) {
					t.Errorf("%s has %s in plain text", place, what)
				}
			}
		}
	}
}

// secrets are those of a stack and of its cluster, with what each is: random values, secret outputs, and private keys.
func (e *env) secrets(stack string) map[string]string {
	e.t.Helper()
	found := map[string]string{}
	state := e.recorded(stack)
	crypter := e.crypter(state)
	for _, r := range state.Resources {
		kind := r["type"].(string)
		if strings.HasPrefix(kind, "random:") || kind == "pulumi:pulumi:Stack" {
			for name, value := range r["outputs"].(map[string]any) {
				for _, opened := range decrypted(e.t, crypter, value) {
					if !strings.HasPrefix(kind, "random:") {
						opened = map[string]any{name: opened}
					}
					for _, text := range leaves("secret", opened) {
						found[text] = fmt.Sprintf("%s of %s", name, r["urn"])
					}
				}
			}
		}
	}
	all, err := e.Clients.CoreV1().Secrets("").List(e.Context(), metav1.ListOptions{})
	require.NoError(e.t, err)
	for _, s := range all.Items {
		for key, value := range s.Data {
			if lines := strings.Split(string(value), "\n"); len(lines) > 2 && privateKey.MatchString(lines[0]) {
				found[lines[1]] = fmt.Sprintf("a line of the private key %s in Secret %s/%s", key, s.Namespace, s.Name)
			}
		}
	}
	return found
}

var privateKey = regexp.MustCompile("^-----BEGIN .*PRIVATE KEY-----")

// crypter decrypts a state's secrets, which the tests' passphrase protects.
func (e *env) crypter(state recorded) pulumiconfig.Decrypter {
	e.t.Helper()
	parts := strings.SplitN(state.Secrets.State.Salt, ":", 3)
	require.Len(e.t, parts, 3)
	salt, err := base64.StdEncoding.DecodeString(parts[1])
	require.NoError(e.t, err)
	return pulumiconfig.NewSymmetricCrypterFromPassphrase(passphrase, salt)
}

// decrypted are the secret parts of a property.
func decrypted(t *testing.T, crypter pulumiconfig.Decrypter, value any) (opened []any) {
	t.Helper()
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			opened = append(opened, decrypted(t, crypter, item)...)
		}
	case map[string]any:
		cipher, secret := v["ciphertext"].(string)
		if !secret || v[sig.Key] != sig.Secret {
			for _, item := range v {
				opened = append(opened, decrypted(t, crypter, item)...)
			}
			return opened
		}
		plain, err := crypter.DecryptValue(context.Background(), cipher)
		require.NoError(t, err)
		var it any
		require.NoError(t, json.Unmarshal([]byte(plain), &it))
		opened = append(opened, it)
	}
	return opened
}

// telling are the names of what is secret in an output that is secret as a whole; hosts and users are in it as well.
var telling = regexp.MustCompile("(?i)(password|secret|token|kubeconfig|key)$")

// credentials are in a kubeconfig, unless it names a command that gets them, as that of a cluster in AWS does.
var credentials = regexp.MustCompile(`(?m)^\s*(- )?(client-key-data|token|password):`)

// leaves are the texts of a value that are secret and long enough to be looked for.
func leaves(name string, value any) (texts []string) {
	switch v := value.(type) {
	case string:
		if len(v) >= secretLength && telling.MatchString(name) && (!strings.HasPrefix(v, "apiVersion:") || credentials.MatchString(v)) {
			texts = append(texts, v)
		}
	case []any:
		for _, item := range v {
			texts = append(texts, leaves(name, item)...)
		}
	case map[string]any:
		for name, item := range v {
			texts = append(texts, leaves(name, item)...)
		}
	}
	return texts
}

// spellings are the forms in which a text could be found: quoted in JSON, and encoded, alone or amid something else.
func spellings(text string) []string {
	quoted, _ := json.Marshal(text) // a text always can be
	all := []string{text, string(quoted[1 : len(quoted)-1])}
	for before := range 3 {
		encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat(" ", before) + text))
		// The characters that depend on nothing but the text.
		if own := encoded[(before*8+5)/6 : (before+len(text))*8/6]; len(own) >= secretLength {
			all = append(all, own)
		}
	}
	return all
}

// The search finds a secret wherever it is.
func TestSpellingsFindSecrets(t *testing.T) {
	t.Parallel()
	const secret = `pass"word+of/16ch`
	for name, text := range map[string]string{
		"plain":               "x" + secret + "y",
		"in JSON":             `{"a":"pass\"word+of/16ch"}`,
		"alone in base64":     base64.StdEncoding.EncodeToString([]byte(secret)),
		"amid other text (1)": base64.StdEncoding.EncodeToString([]byte("a" + secret + "bcd")),
		"amid other text (2)": base64.StdEncoding.EncodeToString([]byte("ab" + secret + "bcd")),
		"amid other text (3)": base64.StdEncoding.EncodeToString([]byte("abc" + secret)),
	} {
		assert.True(t, slices.ContainsFunc(spellings(secret), func(s string) bool { return strings.Contains(text, s) }), name)
	}
}
