package manifest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

func TestDefinitionsLoseTheirProseAndNothingElse(t *testing.T) {
	set, err := manifest.ParseYAML("crd.yaml", []byte(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: things.example.com
spec:
  group: example.com
  names: {kind: Thing, plural: things}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          description: prose
          properties:
            description: {type: string, description: prose about a field of that name}
            rules:
              type: array
              description: prose
              items:
                type: object
                additionalProperties: {type: string, description: prose}
                anyOf: [{description: prose, required: [a]}]
`))
	require.NoError(t, err)
	versions, _, err := unstructured.NestedSlice(set.CRDs[0].Object, "spec", "versions")
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"openAPIV3Schema": map[string]any{
		"type": "object",
		"properties": map[string]any{
			"description": map[string]any{"type": "string"},
			"rules": map[string]any{
				"type": "array",
				"items": map[string]any{
					"type":                 "object",
					"additionalProperties": map[string]any{"type": "string"},
					"anyOf":                []any{map[string]any{"required": []any{"a"}}},
				},
			},
		},
	}}, versions[0].(map[string]any)["schema"])
}
