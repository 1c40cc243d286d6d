package rds

import (
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/components/storage/managed"
	"github.com/telekom/controlplane-infrastructure/components/storage/postgresql"
	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

const (
	// The longest names that AWS takes, without the dozen characters that are added to some.
	longestInstance, longestGroup, longestGuard = 63, 240, 200
	// insightDays is for how long it is kept what an instance was busy with: what AWS charges nothing for.
	insightDays = 7
)

// ownParameters are those that the security of the platform rests on. TLS from 1.2 on is the most that RDS takes in every
// region; clients and servers that know 1.3 use that.
var ownParameters = map[string]string{
	"password_encryption":      "scram-sha-256",
	"rds.force_ssl":            "1",
	"ssl_min_protocol_version": "TLSv1.2",
}

// ground is what all instances share.
type ground struct {
	key     pulumi.StringInput
	subnets pulumi.StringInput // the name of their group
	guard   managed.Guard
}

func (b *builder) ground() (g ground, err error) {
	if g.key, err = b.key(); err != nil {
		return g, err
	}
	name := managed.Name(longestGroup, b.args.Name, "postgresql")
	subnets, err := b.account.Register(aws.DatabaseSubnetGroup, b.name+"-subnets", pulumi.Map{
		"name": pulumi.String(name), "subnetIds": pulumi.StringArray(b.args.Network.SubnetIDs),
		"description": pulumi.String("Databases of " + b.args.Name),
	})
	if err != nil {
		return g, err
	}
	g.subnets = subnets.ID().ToStringOutput()
	g.guard, err = b.args.Network.Guard(b.account, b.name+"-guard", managed.Name(longestGuard, b.args.Name, "postgresql"),
		"Clients of the databases of "+b.args.Name, postgresql.Port)
	return g, err
}

// key returns the ARN of the key that encrypts: a given one, or one of the component's own. Its own is left behind, since
// the last snapshot of an instance is: nobody could restore that without it.
func (b *builder) key() (pulumi.StringInput, error) {
	if b.args.KMSKeyARN != "" {
		return pulumi.String(b.args.KMSKeyARN), nil
	}
	return b.account.Key(aws.KeyNames{
		Key: b.name + "-key", KeyAlias: b.name + "-key-alias", Alias: managed.Name(longestGroup, b.args.Name, "postgresql"),
	}, "Databases of "+b.args.Name+" and their snapshots", pulumi.Protect(b.args.Protect), pulumi.RetainOnDelete(true))
}

// instance is what is read of an instance.
type instance struct {
	pulumi.CustomResourceState
	// Address is its host name, which leads to whichever of its machines is the primary.
	Address pulumi.StringOutput `pulumi:"address"`
}

func (b *builder) instance(i Instance, g ground, password pulumi.StringInput) (*instance, error) {
	parameters, err := b.parameters(i)
	if err != nil {
		return nil, err
	}
	name, most := managed.Name(longestInstance, b.args.Name, i.Name), 0
	if b.args.MaxStorageGiB > b.args.StorageGiB {
		most = b.args.MaxStorageGiB
	}
	made := &instance{}
	return made, b.account.RegisterInto(aws.DatabaseInstance, b.name+"-"+i.Name, pulumi.Map{
		"identifier": pulumi.String(name), "instanceClass": pulumi.String(b.args.InstanceClass),
		"engine": pulumi.String("postgres"), "engineVersion": pulumi.String(b.args.EngineVersion),
		"autoMinorVersionUpgrade": pulumi.Bool(b.args.followsMinors()),
		// Only who changes the configured version asks for another major one.
		"allowMajorVersionUpgrade":         pulumi.Bool(true),
		"parameterGroupName":               parameters,
		"username":                         pulumi.String(Administrator),
		"password":                         password,
		"iamDatabaseAuthenticationEnabled": pulumi.Bool(b.args.IAMAuthentication),

		"port": pulumi.Int(postgresql.Port), "publiclyAccessible": pulumi.Bool(false), "multiAz": pulumi.Bool(b.args.MultiAZ),
		"dbSubnetGroupName": g.subnets, "vpcSecurityGroupIds": pulumi.StringArray{g.guard.ID},
		"caCertIdentifier": pulumi.String(authority),

		"storageType": pulumi.String("gp3"), "allocatedStorage": pulumi.Int(b.args.StorageGiB),
		"maxAllocatedStorage": pulumi.Int(most),
		"storageEncrypted":    pulumi.Bool(true), "kmsKeyId": g.key,

		"backupRetentionPeriod": pulumi.Int(b.args.BackupRetentionDays), "backupWindow": pulumi.String(b.args.BackupWindow),
		"maintenanceWindow": pulumi.String(b.args.MaintenanceWindow), "applyImmediately": pulumi.Bool(false),
		"copyTagsToSnapshot": pulumi.Bool(true), "skipFinalSnapshot": pulumi.Bool(false),
		"finalSnapshotIdentifier": finalSnapshot(name, g),
		"deletionProtection":      pulumi.Bool(b.args.Protect),

		"performanceInsightsEnabled": pulumi.Bool(true), "performanceInsightsKmsKeyId": g.key,
		"performanceInsightsRetentionPeriod": pulumi.Int(insightDays),
		"enabledCloudwatchLogsExports":       pulumi.ToStringArray([]string{"postgresql", "upgrade"}),
	}, made, pulumi.Protect(b.args.Protect), pulumi.Timeouts(&pulumi.CustomTimeouts{Create: "60m", Update: "120m", Delete: "60m"}))
}

// finalSnapshot names what is left of an instance. AWS refuses to delete one whose snapshot has the name of another, such
// as that of the instance that was there before: the security group tells them apart, which AWS has made up a name for.
func finalSnapshot(instance string, g ground) pulumi.StringOutput {
	return g.guard.ID.ToStringOutput().ApplyT(func(guard string) string {
		return instance + "-final-" + strings.TrimPrefix(guard, "sg-")
	}).(pulumi.StringOutput)
}

// parameters registers the parameters of an instance and returns the name of their group. It has the major version in
// it, which belongs to the group: with another one a new group takes the old one's place before that goes.
func (b *builder) parameters(i Instance) (pulumi.StringInput, error) {
	connections, err := i.cluster().MaxConnections()
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for _, given := range []map[string]string{i.Parameters, ownParameters, {"max_connections": connections}} {
		maps.Copy(values, given)
	}
	var list pulumi.Array
	for _, name := range slices.Sorted(maps.Keys(values)) {
		list = append(list, pulumi.Map{
			"name": pulumi.String(name), "value": pulumi.String(values[name]),
			// AWS refuses to apply at once what PostgreSQL reads only when it starts, and takes anything this way. An instance
			// starts with what is here. Whatever is asked for, AWS says this of a value that is its default, and each run
			// would change it back: https://github.com/hashicorp/terraform-provider-aws/issues/39252.
			"applyMethod": pulumi.String("pending-reboot"),
		})
	}
	family := "postgres" + b.args.major()
	group, err := b.account.Register(aws.DatabaseParameters, b.name+"-"+i.Name+"-parameters", pulumi.Map{
		"name":        pulumi.String(managed.Name(longestGroup, b.args.Name, i.Name, family)),
		"family":      pulumi.String(family),
		"description": pulumi.String("Databases of " + b.args.Name), // another one would replace the group
		"parameters":  list,
	})
	if err != nil {
		return nil, err
	}
	return group.ID().ToStringOutput(), nil
}
