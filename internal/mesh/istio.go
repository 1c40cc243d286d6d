package mesh

import (
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/internal/flow"
)

func istioLabels() map[string]string { return map[string]string{"istio.io/dataplane-mode": "ambient"} }

func (m Mesh) istioObjects(namespace string, into []flow.Flow) []runtime.Object { return nil }

func (m Mesh) istioFlows(flows []flow.Flow) []flow.Flow { return flows }
