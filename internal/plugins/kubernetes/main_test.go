package kubernetes

import (
	"testing"

	"github.com/telekom/controlplane-infrastructure/internal/local"
	"github.com/telekom/controlplane-infrastructure/internal/local/localtest"
)

// real is a control plane for all tests of the package.
var real *local.ControlPlane

func TestMain(m *testing.M) { localtest.Main(m, &real) }
