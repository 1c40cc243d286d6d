package minio_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"

	"github.com/telekom/controlplane-infrastructure/components/storage/minio"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/flows"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// Whoever has to be reached is, and the servers themselves have nothing to ask but each other.
func TestFlows(t *testing.T) {
	for servers, opened := range map[int][]string{1: nil, 4: {"minio-servers"}} {
		var declared []flow.Flow
		objects := process.Render(t, verify.NewCA(t, "platform"), func(ctx *pulumi.Context) error {
			args := arguments(servers)
			var err error
			if args.Common, err = process.Common(ctx, workload.Single); err != nil {
				return err
			}
			args.Surroundings = flows.Surroundings
			declared = args.Flows()
			args.Namespaces.Flows.Flows = declared
			_, err = minio.New(ctx, "storage-minio", args)
			return err
		})
		flows.Check(t, declared, flows.Rendered(objects))
		var byServers []string
		for _, f := range declared {
			if f.From.Namespace == minio.Namespace && f.From.Pods["app.kubernetes.io/component"] == "server" {
				byServers = append(byServers, f.Name)
			}
		}
		assert.Equal(t, opened, byServers, "%d servers", servers)
	}
}
