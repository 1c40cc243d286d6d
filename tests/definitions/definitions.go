// Package definitions installs resource definitions that others than the component under test bring.
package definitions

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/telekom/controlplane-infrastructure/internal/artifact/artifacttest"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// Prometheus installs the definitions of the Prometheus operator, or only some by their plural names, and waits until
// they are served.
func Prometheus(t *testing.T, config *rest.Config, plurals ...string) {
	t.Helper()
	set, err := manifest.ParseTree(artifacttest.Fetch(t, artifacttest.PrometheusOperator, artifacttest.PrometheusCRDs))
	require.NoError(t, err)
	var all []*apiextensionsv1.CustomResourceDefinition
	for _, o := range set.CRDs {
		if plural, _, _ := strings.Cut(o.GetName(), "."); len(plurals) > 0 && !slices.Contains(plurals, plural) {
			continue
		}
		definition := &apiextensionsv1.CustomResourceDefinition{}
		require.NoError(t, o.Decode(definition))
		all = append(all, definition)
	}
	_, err = envtest.InstallCRDs(config, envtest.CRDInstallOptions{CRDs: all})
	require.NoError(t, err)
}
