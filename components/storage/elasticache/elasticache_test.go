package elasticache_test

import (
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/components/storage/elasticache"
	"github.com/telekom/controlplane-infrastructure/components/storage/managed"
	"github.com/telekom/controlplane-infrastructure/components/storage/valkey"
	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/internal/aws/awstest"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

func zonal() elasticache.Args {
	return elasticache.Args{
		Network: managed.Network{
			VPCID:       pulumi.String("vpc-0123456789abcdef0"),
			SubnetIDs:   []pulumi.StringInput{pulumi.String("subnet-a"), pulumi.String("subnet-b"), pulumi.String("subnet-c")},
			ClientCIDRs: []string{"10.0.0.0/18", "fd00::/64"}, StoreCIDRs: []string{"10.0.0.0/17"},
		},
		Name: "controlplane-prod", EngineVersion: "8.1", NodeType: "cache.t4g.small", Nodes: 3, EvictionPolicy: "allkeys-lru",
		MaintenanceWindow: "sun:03:30-sun:04:30", Image: "docker.io/valkey/valkey:9.0.6",
		Clients: []valkey.Client{{Name: "gateways", Pods: flow.Peer{Namespace: "gateway"}}},
	}
}

func render(t *testing.T, availability workload.Availability, changes ...func(*elasticache.Args)) *process.Objects {
	t.Helper()
	args := zonal()
	for _, change := range changes {
		change(&args)
	}
	return process.Render(t, verify.NewCA(t, "ca"), func(ctx *pulumi.Context) error {
		common, err := process.Common(ctx, availability)
		if err != nil {
			return err
		}
		common.PasswordGeneration = args.PasswordGeneration
		args.Common = common
		if args.AWS, err = aws.NewProvider(ctx, "aws", aws.ProviderArgs{Region: "eu-central-1"}); err != nil {
			return err
		}
		_, err = elasticache.New(ctx, "cache", args)
		return err
	})
}

// of returns the resources of a type.
func of(o *process.Objects, token string) (found []pulumi.MockResourceArgs) {
	for _, other := range o.Others {
		if other.TypeToken == token {
			found = append(found, other)
		}
	}
	return found
}

func TestInputsAreThoseOfTheSDK(t *testing.T) {
	t.Parallel()
	for _, other := range render(t, workload.Zonal).Others {
		if strings.HasPrefix(other.TypeToken, "aws:") {
			assert.Empty(t, awstest.Problems(other.TypeToken, other.Inputs), other.Name)
			assert.Contains(t, other.Provider, "pulumi:providers:aws::aws", other.Name)
			assert.Contains(t, other.RegisterRPC.GetParent(), elasticache.Type, other.Name)
		}
	}
}

func TestServersAreGuarded(t *testing.T) {
	t.Parallel()
	o := render(t, workload.Zonal)
	group := of(o, aws.CacheGroup)[0]
	in := group.Inputs.Mappable()
	for key, want := range map[string]any{
		"replicationGroupId": "controlplane-prod", "engine": "valkey", "engineVersion": "8.1", "numCacheClusters": 3.0,
		"automaticFailoverEnabled": true, "multiAzEnabled": true, "transitEncryptionEnabled": true,
		"transitEncryptionMode": "required", "atRestEncryptionEnabled": true, "authTokenUpdateStrategy": "ROTATE",
		"securityGroupIds": []any{"cache-guard-id"}, "parameterGroupName": "cache-parameters-id",
	} {
		assert.Equal(t, want, in[key], key)
	}
	assert.NotContains(t, in, "kmsKeyId")
	assert.True(t, group.Inputs["authToken"].IsSecret(), "no password in the clear")
	assert.True(t, group.RegisterRPC.GetProtect())
	assert.False(t, of(render(t, workload.Single), aws.CacheGroup)[0].RegisterRPC.GetProtect())

	admitted := map[string]any{}
	for _, rule := range of(o, aws.IngressRule) {
		r := rule.Inputs.Mappable()
		assert.Equal(t, []any{6379.0, 6379.0, "tcp"}, []any{r["fromPort"], r["toPort"], r["ipProtocol"]})
		for _, key := range []string{"cidrIpv4", "cidrIpv6"} {
			if r[key] != nil {
				admitted[key] = r[key]
			}
		}
	}
	assert.Equal(t, map[string]any{"cidrIpv4": "10.0.0.0/18", "cidrIpv6": "fd00::/64"}, admitted)
	parameters := of(o, aws.CacheParameters)[0].Inputs.Mappable()
	assert.Equal(t, "valkey8", parameters["family"])
	assert.Equal(t, []any{map[string]any{"name": "maxmemory-policy", "value": "allkeys-lru"}}, parameters["parameters"])

	alone := of(render(t, workload.Single, func(a *elasticache.Args) { a.Nodes, a.KMSKeyARN = 1, "arn:aws:kms:::key/given" }), aws.CacheGroup)[0].Inputs.Mappable()
	assert.Equal(t, []any{false, false, "arn:aws:kms:::key/given"}, []any{
		alone["automaticFailoverEnabled"], alone["multiAzEnabled"], alone["kmsKeyId"],
	}, "one server has none that could take over")
}

// The password that servers are given is the one that clients find, and another one with the next generation.
func TestClientsFindThePassword(t *testing.T) {
	t.Parallel()
	password := func(generation int) string {
		o := render(t, workload.Zonal, func(a *elasticache.Args) { a.PasswordGeneration = generation })
		found := o.Data("Secret", valkey.SecretName)["password"]
		assert.Equal(t, valkey.Namespace, o.Find("Secret", valkey.SecretName).GetNamespace())
		assert.Equal(t, found, of(o, aws.CacheGroup)[0].Inputs["authToken"].SecretValue().Element.StringValue())
		return found
	}
	first := password(1)
	assert.Regexp(t, `^[A-Za-z0-9]{32}$`, first, "what AWS takes: 16 to 128 characters, not all of them")
	assert.NotEqual(t, first, password(2))
}

func TestFlowsLeadToTheSubnets(t *testing.T) {
	t.Parallel()
	args := zonal()
	args.Clients = append(args.Clients, valkey.Client{ // in no namespace of the platform
		Name: "others", Pods: flow.Peer{NamespaceLabels: map[string]string{"a": "b"}},
	})
	args.ControlPlaneNamespace = "controlplane-system"
	flows := args.Flows()
	require.Len(t, flows, 3)
	for i, namespace := range []string{"valkey", "controlplane-system", "gateway"} {
		assert.Equal(t, namespace, flows[i].From.Namespace)
		assert.Equal(t, []string{"10.0.0.0/17"}, flows[i].To.CIDRs)
		assert.Equal(t, []int{6379}, flows[i].Ports)
	}
}

func TestWhatCannotWork(t *testing.T) {
	t.Parallel()
	args := zonal()
	require.NoError(t, args.Check())
	args.Nodes, args.EngineVersion = 7, "8"
	assert.ErrorContains(t, args.Check(), "nodes: 7; allowed are 1 to 6")
	assert.ErrorContains(t, args.Check(), `version: "8"; a major and a minor version`)
}

func TestAuthorities(t *testing.T) {
	t.Parallel()
	var names []string
	for rest := []byte(elasticache.Authorities); len(rest) > 0; {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		require.NotNil(t, block)
		certificate, err := x509.ParseCertificate(block.Bytes)
		require.NoError(t, err)
		assert.NoError(t, certificate.CheckSignatureFrom(certificate))
		assert.True(t, certificate.NotAfter.After(time.Now().AddDate(5, 0, 0)))
		names = append(names, certificate.Subject.CommonName)
	}
	assert.Equal(t, []string{"Amazon Root CA 1", "Amazon Root CA 2", "Amazon Root CA 3", "Amazon Root CA 4"}, names)
}
