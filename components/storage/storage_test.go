package storage_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/components/storage"
	"github.com/telekom/controlplane-infrastructure/components/storage/postgresql"
	"github.com/telekom/controlplane-infrastructure/components/storage/valkey"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/process"
)

// engine answers as one that creates what it is asked for.
type engine struct{}

func (engine) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	return args.Name, args.Inputs, nil
}

func (engine) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) { return nil, nil }

func TestBackupsNeedABucket(t *testing.T) {
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		common, err := process.Common(ctx, workload.Single)
		require.NoError(t, err)
		_, err = storage.New(ctx, "storage", storage.Args{Common: common, Valkey: &valkey.Args{}, PostgreSQL: &postgresql.Args{
			Clusters: []postgresql.Cluster{{Name: "platform", Backup: &postgresql.Backup{}}},
		}})
		return err
	}, pulumi.WithMocks("controlplane", "test", engine{}))
	require.ErrorContains(t, err, "storage: cluster platform has a backup or a recovery, which need an object storage with a bucket for backups")
}
