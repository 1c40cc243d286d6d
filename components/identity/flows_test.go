package identity_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/components/identity"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/flows"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// Whoever has to be reached is, with all that there can be.
func TestFlows(t *testing.T) {
	var declared []flow.Flow
	objects := process.Render(t, verify.NewCA(t, "platform"), func(ctx *pulumi.Context) error {
		args := arguments()
		var err error
		if args.Common, err = process.Common(ctx, workload.Zonal); err != nil {
			return err
		}
		args.Admin.PlainHTTP = true
		args.Ingress.Controller, args.Ingress.HTTP01 = flow.Peer{Namespace: "ingress"}, &flow.Peer{Namespace: "ingress"}
		args.Surroundings = flows.Surroundings
		declared = args.Flows()
		args.Namespaces.Flows.Flows = declared
		_, err = identity.New(ctx, "identity", args)
		return err
	})
	flows.Check(t, declared, flows.Rendered(objects), flows.Solver(identity.Namespace))
}
