package report

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	reflector "github.com/invopop/jsonschema"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/telekom/controlplane-infrastructure"

// generated is the schema of the report, with the comments of its types as descriptions.
func generated(t *testing.T) []byte {
	t.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	t.Chdir(root) // comments are looked up below the working directory
	r := &reflector.Reflector{DoNotReference: false, AllowAdditionalProperties: true}
	for _, dir := range []string{"./automation/report", "./automation", "./internal/policy"} {
		require.NoError(t, r.AddGoComments(module, dir, reflector.WithFullComment()))
	}
	s := r.Reflect(&Report{})
	s.ID = reflector.ID("https://" + module + "/schema/preview.json")
	s.Title = "Report of a preview"
	data, err := json.MarshalIndent(s, "", "  ")
	require.NoError(t, err)
	return append(data, '\n')
}

func TestSchemaIsThatOfTheTypes(t *testing.T) {
	data := generated(t) // in the root of the module
	path := filepath.Join("schema", "preview.json")
	if *update {
		require.NoError(t, os.WriteFile(path, data, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(data), "go test ./automation/report -update writes it anew")
}

func TestJSONIsAsTheSchemaSays(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../schema/preview.json")
	require.NoError(t, err)
	for name, c := range samples() {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			require.NoError(t, JSON(&out, New("prod", c.result, c.failed, c.intended)))
			document, err := jsonschema.UnmarshalJSON(bytes.NewReader(out.Bytes()))
			require.NoError(t, err)
			require.NoError(t, schema.Validate(document), "%s", out.String())
			assert.Equal(t, json.Number("1"), document.(map[string]any)["schemaVersion"])
		})
	}
	assert.Error(t, schema.Validate(map[string]any{"stack": "prod"}), "the schema demands something")
}

func TestJSONNamesWhatIsLostAndMeant(t *testing.T) {
	c := samples()["replace"]
	var out bytes.Buffer
	require.NoError(t, JSON(&out, New("prod", c.result, nil, c.intended)))
	var got struct {
		Status string `json:"status"`
		Steps  []struct {
			Name     string `json:"name"`
			Loses    string `json:"loses"`
			Intended bool   `json:"intended"`
			Changes  []struct {
				Path     string `json:"path"`
				Replaces bool   `json:"replaces"`
			} `json:"changes"`
		} `json:"steps"`
	}
	require.NoError(t, json.Unmarshal(out.Bytes(), &got))
	assert.Equal(t, Changed, got.Status)
	require.Len(t, got.Steps, 2)
	assert.Equal(t, "platform", got.Steps[0].Name, "what holds data comes first")
	assert.Equal(t, "the databases of an instance", got.Steps[0].Loses)
	assert.True(t, got.Steps[0].Intended)
	assert.Equal(t, "kmsKeyId", got.Steps[0].Changes[0].Path)
	assert.True(t, got.Steps[0].Changes[0].Replaces)
	assert.Empty(t, got.Steps[1].Loses, "an update loses nothing")
}
