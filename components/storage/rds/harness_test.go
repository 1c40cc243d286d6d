package rds_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/components/storage/managed"
	"github.com/telekom/controlplane-infrastructure/components/storage/postgresql"
	"github.com/telekom/controlplane-infrastructure/components/storage/rds"
	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// zonal is an instance with the databases of the platform.
func zonal() rds.Args {
	return rds.Args{
		Network: managed.Network{
			VPCID:       pulumi.String("vpc-0123456789abcdef0"),
			SubnetIDs:   []pulumi.StringInput{pulumi.String("subnet-a"), pulumi.String("subnet-b"), pulumi.String("subnet-c")},
			ClientCIDRs: []string{"10.0.0.0/18", "10.0.64.0/18"}, StoreCIDRs: []string{"10.0.0.0/17"},
		},
		Name: "controlplane-prod", EngineVersion: "18", InstanceClass: "db.m7g.large", MultiAZ: true,
		StorageGiB: 50, MaxStorageGiB: 200, BackupRetentionDays: 30,
		BackupWindow: "02:00-03:00", MaintenanceWindow: "sun:03:30-sun:04:30",
		Image: "ghcr.io/cloudnative-pg/postgresql:18.6-standard-trixie",
		Instances: []rds.Instance{{Name: "platform", Databases: []postgresql.Database{
			{Name: "iris", Owner: "iris"}, {Name: "gateway", Owner: "gateway"}, {Name: "control_plane", Owner: "control_plane"},
		}}},
		ControlPlaneDatabase: "control_plane", ControlPlaneSSLMode: "verify-full",
		Clients: []postgresql.Client{{Name: "gateways", Pods: flow.Peer{Namespace: "gateway"}, Database: "gateway"}},
	}
}

// rendered is what the component registers.
type rendered struct {
	*process.Objects
	databases map[string]postgresql.Connection
}

func try(args rds.Args, availability workload.Availability, made *rendered) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		common, err := process.Common(ctx, availability)
		if err != nil {
			return err
		}
		common.PasswordGeneration = args.PasswordGeneration
		args.Common = common
		if args.AWS, err = aws.NewProvider(ctx, "aws", aws.ProviderArgs{Region: "eu-central-1"}); err != nil {
			return err
		}
		r, err := rds.New(ctx, "rds", args)
		if err == nil {
			made.databases = r.Databases
		}
		return err
	}
}

func render(t *testing.T, ca verify.CA, availability workload.Availability, changes ...func(*rds.Args)) *rendered {
	t.Helper()
	args := zonal()
	for _, change := range changes {
		change(&args)
	}
	made := &rendered{}
	made.Objects = process.Render(t, ca, try(args, availability, made))
	return made
}

// inputs are those of an AWS resource by its name in the program.
func (r *rendered) inputs(t *testing.T, name string) map[string]any {
	t.Helper()
	for _, other := range r.Others {
		if other.Name == name {
			return other.Inputs.Mappable()
		}
	}
	require.Failf(t, "no such resource", name)
	return nil
}
