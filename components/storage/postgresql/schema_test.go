package postgresql_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"

	"github.com/telekom/controlplane-infrastructure/components/storage/postgresql"
	"github.com/telekom/controlplane-infrastructure/internal/artifact/artifacttest"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// definition checks objects the way the API server does: types, unknown fields, and rules.
type definition struct {
	structural *schema.Structural
	validator  validation.SchemaValidator
	rules      *cel.Validator
}

// definitions are those that the artefacts bring, by apiVersion and kind.
func definitions(t *testing.T) map[string]definition {
	t.Helper()
	all := map[string]definition{}
	for module, path := range map[string]string{
		operatorModule: operatorPath, pluginModule: pluginPath,
		artifacttest.PrometheusOperator: artifacttest.PrometheusCRDs,
	} {
		set, err := manifest.ParseTree(artifacttest.Fetch(t, module, path))
		require.NoError(t, err)
		for _, o := range set.CRDs {
			crd := &apiextensionsv1.CustomResourceDefinition{}
			require.NoError(t, runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, crd))
			for _, version := range crd.Spec.Versions {
				key := crd.Spec.Group + "/" + version.Name + " " + crd.Spec.Names.Kind
				all[key] = define(t, version.Schema)
			}
		}
	}
	return all
}

func define(t *testing.T, versioned *apiextensionsv1.CustomResourceValidation) definition {
	t.Helper()
	internal := &apiextensions.CustomResourceValidation{}
	require.NoError(t, apiextensionsv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation(versioned, internal, nil))
	structural, err := schema.NewStructural(internal.OpenAPIV3Schema)
	require.NoError(t, err)
	validator, _, err := validation.NewSchemaValidator(internal.OpenAPIV3Schema)
	require.NoError(t, err)
	return definition{structural, validator, cel.NewValidator(structural, true, celconfig.PerCallLimit)}
}

// mistakes lists what the API server would refuse about an object.
func (d definition) mistakes(o *unstructured.Unstructured) (mistakes []string) {
	copied := o.DeepCopy()
	unknown := pruning.PruneWithOptions(copied.Object, d.structural, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	for _, path := range unknown {
		mistakes = append(mistakes, "unknown field "+path)
	}
	errors := validation.ValidateCustomResource(nil, o.Object, d.validator)
	if d.rules != nil {
		broken, _ := d.rules.Validate(context.Background(), field.NewPath(""), d.structural, o.Object, nil, math.MaxInt64)
		errors = append(errors, broken...)
	}
	for _, err := range errors {
		mistakes = append(mistakes, err.Error())
	}
	return mistakes
}

// TestResourcesMatchTheirDefinitions: what is misspelt here, the cluster would find out at the first up, or not at all.
func TestResourcesMatchTheirDefinitions(t *testing.T) {
	known := definitions(t)
	amazonOnly := restored(t)
	amazonOnly.Clusters[0].Backup = nil
	for name, args := range map[string]postgresql.Args{
		"single": single(t), "zonal": zonal(t), "restored": restored(t), "per consumer": perConsumer(t), "restored only": amazonOnly,
	} {
		t.Run(name, func(t *testing.T) {
			checked := map[string]bool{}
			for _, r := range run(t, args).objects() {
				key := r.object.GetAPIVersion() + " " + r.object.GetKind()
				if d, found := known[key]; found {
					assert.Empty(t, d.mistakes(r.object), "%s %s", key, r.name)
					checked[r.object.GetKind()] = true
				}
			}
			assert.True(t, checked["Cluster"] && checked["PodMonitor"], "checked %v", checked)
			if args.Clusters[0].Pooler != nil {
				assert.True(t, checked["Pooler"] && checked["ObjectStore"] && checked["ScheduledBackup"], "checked %v", checked)
			}
		})
	}
}

// TestDefinitionsFindMistakes shows that the check above is one.
func TestDefinitionsFindMistakes(t *testing.T) {
	cluster := run(t, single(t)).find(t, "Cluster", "postgresql/platform").object
	d := definitions(t)["postgresql.cnpg.io/v1 Cluster"]
	for path, value := range map[string]any{"instancez": int64(1), "instances": "three", "primaryUpdateMethod": "wait"} {
		broken := cluster.DeepCopy()
		require.NoError(t, unstructured.SetNestedField(broken.Object, value, "spec", path))
		assert.Contains(t, fmt.Sprint(d.mistakes(broken)), path)
	}
}
