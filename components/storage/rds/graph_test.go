package rds_test

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/components/storage/postgresql"
	"github.com/telekom/controlplane-infrastructure/components/storage/rds"
	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/internal/aws/awstest"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

func TestInputsAreThoseOfTheSDK(t *testing.T) {
	t.Parallel()
	for _, other := range render(t, verify.NewCA(t, "ca"), workload.Zonal).Others {
		if strings.HasPrefix(other.TypeToken, "aws:") {
			assert.Empty(t, awstest.Problems(other.TypeToken, other.Inputs), other.Name)
			assert.Contains(t, other.Provider, "pulumi:providers:aws::aws", other.Name)
			assert.Contains(t, other.RegisterRPC.GetParent(), rds.Type, other.Name)
		}
	}
}

func TestNobodyButClientsGetsThrough(t *testing.T) {
	t.Parallel()
	r := render(t, verify.NewCA(t, "ca"), workload.Zonal)
	var admitted []any
	for _, other := range r.Others {
		if other.TypeToken == aws.IngressRule {
			in := other.Inputs.Mappable()
			assert.Equal(t, []any{5432.0, 5432.0, "tcp", "rds-guard-id"}, []any{in["fromPort"], in["toPort"], in["ipProtocol"], in["securityGroupId"]})
			admitted = append(admitted, in["cidrIpv4"])
		}
	}
	assert.ElementsMatch(t, []any{"10.0.0.0/18", "10.0.64.0/18"}, admitted)
	group := r.inputs(t, "rds-guard")
	assert.NotContains(t, group, "egress")
	assert.NotContains(t, group, "ingress")
	instance := r.inputs(t, "rds-platform")
	assert.Equal(t, []any{"rds-guard-id"}, instance["vpcSecurityGroupIds"])
	assert.Equal(t, false, instance["publiclyAccessible"])
	assert.Equal(t, []any{"subnet-a", "subnet-b", "subnet-c"}, r.inputs(t, "rds-subnets")["subnetIds"])
}

func TestInstanceKeepsData(t *testing.T) {
	t.Parallel()
	r := render(t, verify.NewCA(t, "ca"), workload.Zonal)
	instance := r.inputs(t, "rds-platform")
	for key, want := range map[string]any{
		"identifier": "controlplane-prod-platform", "engineVersion": "18", "multiAz": true, "storageEncrypted": true,
		"backupRetentionPeriod": 30.0, "deletionProtection": true, "skipFinalSnapshot": false,
		"finalSnapshotIdentifier": "controlplane-prod-platform-final-rds-guard-id", "copyTagsToSnapshot": true,
		"applyImmediately": false, "autoMinorVersionUpgrade": true, "maxAllocatedStorage": 200.0,
	} {
		assert.Equal(t, want, instance[key], key)
	}
	for _, other := range r.Others {
		switch other.TypeToken {
		case aws.DatabaseInstance:
			assert.True(t, other.RegisterRPC.GetProtect())
			assert.True(t, other.Inputs["password"].IsSecret(), "no password in the clear")
		case aws.Key:
			assert.True(t, other.RegisterRPC.GetProtect())
			assert.True(t, other.RegisterRPC.GetRetainOnDelete(), "the last snapshot outlives the stack")
		}
	}
	single := render(t, verify.NewCA(t, "ca"), workload.Single, func(a *rds.Args) {
		a.EngineVersion, a.MaxStorageGiB, a.KMSKeyARN = "17.6", 50, "arn:aws:kms:eu-central-1:123456789012:key/given"
	})
	instance = single.inputs(t, "rds-platform")
	assert.Equal(t, []any{false, 0.0, false, "arn:aws:kms:eu-central-1:123456789012:key/given"}, []any{
		instance["autoMinorVersionUpgrade"], instance["maxAllocatedStorage"], instance["deletionProtection"], instance["kmsKeyId"],
	})
	for _, other := range single.Others {
		assert.NotEqual(t, aws.Key, other.TypeToken)
	}
}

// parameters are those of an instance, with when they are applied.
func parameters(t *testing.T, r *rendered) map[string]string {
	all := map[string]string{}
	for _, each := range r.inputs(t, "rds-platform-parameters")["parameters"].([]any) {
		p := each.(map[string]any)
		all[p["name"].(string)] = p["value"].(string) + " " + p["applyMethod"].(string)
	}
	return all
}

func TestParameters(t *testing.T) {
	t.Parallel()
	r := render(t, verify.NewCA(t, "ca"), workload.Zonal, func(a *rds.Args) {
		a.Instances[0].Parameters = map[string]string{"max_connections": "320", "work_mem": "8192"}
	})
	assert.Equal(t, map[string]string{
		"rds.force_ssl": "1 pending-reboot", "password_encryption": "scram-sha-256 pending-reboot",
		"ssl_min_protocol_version": "TLSv1.2 pending-reboot", "max_connections": "320 pending-reboot", "work_mem": "8192 pending-reboot",
	}, parameters(t, r))
	assert.Equal(t, 100, r.databases["iris"].ConnectionLimit, "its share, less what is kept for the platform")

	group := r.inputs(t, "rds-platform-parameters")
	assert.Equal(t, []any{"postgres18", "controlplane-prod-platform-postgres18"}, []any{group["family"], group["name"]})
	older := render(t, verify.NewCA(t, "ca"), workload.Zonal, func(a *rds.Args) { a.EngineVersion = "17.6" })
	assert.Equal(t, "controlplane-prod-platform-postgres17", older.inputs(t, "rds-platform-parameters")["name"],
		"a major version has its own group, so that neither is in the other's way")
}

// Who uses databases finds the same objects as with databases in the cluster.
func TestConsumersFindTheSame(t *testing.T) {
	t.Parallel()
	args := zonal()
	require.NoError(t, args.Check())
	mine, err := args.Connections()
	require.NoError(t, err)
	others, err := postgresql.Args{Clusters: []postgresql.Cluster{{
		Name: "platform", Instances: 1, Databases: args.Instances[0].Databases,
	}}}.Connections()
	require.NoError(t, err)
	for name, other := range others {
		c := mine[name]
		assert.Nil(t, c.Host, "there is no instance yet")
		c.Host, c.Primary, c.Pods = other.Host, other.Primary, other.Pods
		assert.Equal(t, other, c)
	}

	r := render(t, verify.NewCA(t, "ca"), workload.Zonal)
	login := r.Data("Secret", "platform-user-control-plane")
	assert.Equal(t, "control_plane", login["username"])
	assert.Contains(t, r.Data("Secret", "controlplane-db")["url"], "postgresql://control_plane:"+login["password"]+"@")
	assert.Contains(t, r.Data("Secret", "controlplane-db")["url"], ":5432/control_plane?sslmode=verify-full")
	assert.Equal(t, "platform", r.Find("Namespace", "postgresql").GetLabels()["trust.controlplane.io/bundle"])
	for _, kind := range []string{"Cluster", "Deployment", "CustomResourceDefinition"} {
		assert.Empty(t, r.Of(kind), "no operator and nothing of one")
	}
}

func TestFlows(t *testing.T) {
	t.Parallel()
	args := zonal()
	args.Clients = append(args.Clients, postgresql.Client{ // in no namespace of the platform
		Name: "others", Pods: flow.Peer{NamespaceLabels: map[string]string{"a": "b"}}, Database: "gateway",
	})
	args.ControlPlaneNamespace = "controlplane-system"
	names := map[string]flow.Flow{}
	for _, f := range args.Flows() {
		assert.Equal(t, []int{5432}, f.Ports)
		assert.Equal(t, []string{"10.0.0.0/17"}, f.To.CIDRs)
		names[f.Name] = f
	}
	assert.Len(t, names, 3)
	assert.Equal(t, "controlplane-system", names["postgresql-controlplane"].From.Namespace)
	assert.Equal(t, "gateway", names["postgresql-gateways"].From.Namespace)
	assert.Equal(t, "postgresql", names["postgresql-platform-check"].From.Namespace)

	args.Network.StoreCIDRs = nil
	assert.True(t, args.Flows()[0].To.Everywhere, "where they are is not known")
}

func TestWhatCannotWork(t *testing.T) {
	t.Parallel()
	for message, change := range map[string]func(*rds.Args){
		"role platform_admin is the platform's own": func(a *rds.Args) { a.Instances[0].Databases[0].Owner = rds.Administrator },
		"database postgres is there from the start": func(a *rds.Args) { a.Instances[0].Databases[0].Name = "postgres" },
		"parameter rds.force_ssl is always 1":       func(a *rds.Args) { a.Instances[0].Parameters = map[string]string{"rds.force_ssl": "0"} },
		"role iris owns two databases":              func(a *rds.Args) { a.Instances[0].Databases[1].Owner = "iris" },
		"max_connections is 20; its databases need": func(a *rds.Args) { a.Instances[0].Parameters = map[string]string{"max_connections": "20"} },
		"database other is in no cluster":           func(a *rds.Args) { a.ControlPlaneDatabase = "other" },
	} {
		args := zonal()
		change(&args)
		assert.ErrorContains(t, args.Check(), message)
		err := pulumi.RunErr(try(args, workload.Single, &rendered{}), pulumi.WithMocks("p", "s", engine{}))
		assert.ErrorContains(t, err, "rds: ", "New refuses it too")
	}
}

type engine struct{}

func (engine) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	return args.Name, args.Inputs, nil
}

func (engine) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) { return nil, nil }

func TestAuthoritiesAreThoseOfTheirRegions(t *testing.T) {
	t.Parallel()
	files, err := os.ReadDir("authorities")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		region := strings.TrimSuffix(file.Name(), ".pem")
		text, known := rds.Authorities(region)
		require.True(t, known)
		block, rest := pem.Decode([]byte(text))
		require.NotNil(t, block, region)
		assert.Empty(t, rest, region)
		certificate, err := x509.ParseCertificate(block.Bytes)
		require.NoError(t, err, region)
		assert.Equal(t, "Amazon RDS "+region+" Root CA RSA2048 G1", certificate.Subject.CommonName)
		assert.NoError(t, certificate.CheckSignatureFrom(certificate), region)
		assert.True(t, certificate.IsCA && certificate.NotAfter.After(time.Now().AddDate(5, 0, 0)), region)
	}
	_, known := rds.Authorities("xx-nowhere-1")
	assert.False(t, known)
}
