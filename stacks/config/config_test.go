package config_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

func amounts(cpu, memory string) config.ResourceAmounts {
	return config.ResourceAmounts{CPU: resource.MustParse(cpu), Memory: resource.MustParse(memory)}
}

func hours(n int) config.Duration { return config.Duration(time.Duration(n) * time.Hour) }

func TestDefaults(t *testing.T) {
	cfg, err := parse(t, "")
	require.NoError(t, err)
	want := &config.Config{
		Availability: config.Single,
		Cluster: config.Cluster{Kind: config.ClusterExisting, MetricsServer: config.MetricsServer{
			Image: "registry.k8s.io/metrics-server/metrics-server:v0.9.0", Replicas: 1,
			Resources: config.ResourceClass{Requests: amounts("100m", "200Mi"), Limits: amounts("500m", "512Mi")},
		}},
		Resources: config.Resources{
			Operator:         config.ResourceClass{Requests: amounts("100m", "128Mi"), Limits: amounts("500m", "512Mi")},
			APIServer:        config.ResourceClass{Requests: amounts("100m", "256Mi"), Limits: amounts("500m", "1Gi")},
			Gateway:          config.ResourceClass{Requests: amounts("500m", "512Mi"), Limits: amounts("1000m", "2Gi")},
			IdentityProvider: config.ResourceClass{Requests: amounts("500m", "1Gi"), Limits: amounts("1000m", "2Gi")},
		},
		Monitoring: defaultMonitoring(),
		CertTrust: config.CertTrust{
			CertManager:  config.CertManager{ControllerReplicas: 1, WebhookReplicas: 1, CAInjectorReplicas: 1, ServiceMonitor: true},
			TrustManager: config.TrustManager{Replicas: 1, ServiceMonitor: true},
			PlatformCA: config.PlatformCA{Source: config.CASelfSigned, SelfSigned: &config.SelfSignedCA{
				CommonName: "Platform Root CA", Duration: hours(87600), RenewBefore: hours(8760),
				PrivateKey: config.CAPrivateKey{Algorithm: config.ECDSA, Size: 384, RotationPolicy: config.RotateNever},
			}},
			Bundle: config.Bundle{Name: "platform-trust", Key: "ca-certificates.crt", PublicRoots: true},
		},
		Storage: defaultStorage(), Identity: defaultIdentity(), Network: defaultNetwork(),
	}
	assert.Equal(t, toJSON(t, want), toJSON(t, cfg))
}

func toJSON(t *testing.T, value any) string {
	t.Helper()
	data, err := json.MarshalIndent(value, "", "  ")
	require.NoError(t, err)
	return string(data)
}

// TestDerived shows what follows from other values, and that a stack may
// override it.
func TestDerived(t *testing.T) {
	replicas := func(c *config.Config) []int {
		m := c.CertTrust.CertManager
		return []int{m.ControllerReplicas, m.WebhookReplicas, m.CAInjectorReplicas, c.CertTrust.TrustManager.Replicas}
	}
	key := func(c *config.Config) config.CAPrivateKey { return c.CertTrust.PlatformCA.SelfSigned.PrivateKey }
	for _, test := range []struct {
		name, yaml string
		got        func(*config.Config) any
		want       any
	}{
		{"replicas of single", "availability: single", func(c *config.Config) any { return replicas(c) }, []int{1, 1, 1, 1}},
		{"replicas of zonal", "availability: zonal", func(c *config.Config) any { return replicas(c) }, []int{2, 3, 2, 2}},
		{"a replica count of its own", "availability: zonal\ncertTrust: {certManager: {controllerReplicas: 4}}",
			func(c *config.Config) any { return replicas(c) }, []int{4, 3, 2, 2}},
		{"more than one replica in one zone", "certTrust: {certManager: {webhookReplicas: 2}}",
			func(c *config.Config) any { return replicas(c) }, []int{1, 2, 1, 1}},
		{"RSA key", "certTrust: {platformCA: {selfSigned: {privateKey: {algorithm: RSA}}}}",
			func(c *config.Config) any { return key(c) }, config.CAPrivateKey{Algorithm: config.RSA, Size: 4096, RotationPolicy: config.RotateNever}},
		{"Ed25519 key", "certTrust: {platformCA: {selfSigned: {privateKey: {algorithm: Ed25519, rotationPolicy: Always}}}}",
			func(c *config.Config) any { return key(c) }, config.CAPrivateKey{Algorithm: config.Ed25519, RotationPolicy: config.RotateAlways}},
		{"no self-signed CA beside an existing one", "certTrust: {platformCA: {source: existing, existing: {secretName: my-ca}}}",
			func(c *config.Config) any { return c.CertTrust.PlatformCA.SelfSigned == nil }, true},
		{"switched off", "certTrust: {bundle: {publicRoots: false}}", func(c *config.Config) any { return c.CertTrust.Bundle.PublicRoots }, false},
		{"one amount of a class", "resources: {operator: {limits: {memory: 1Gi}}}",
			func(c *config.Config) any { return toJSON(t, c.Resources.Operator) },
			toJSON(t, config.ResourceClass{Requests: amounts("100m", "128Mi"), Limits: amounts("500m", "1Gi")})},
		{"an amount as a number", "resources: {gateway: {requests: {cpu: 0.6}, limits: {cpu: 2}}}",
			func(c *config.Config) any {
				return c.Resources.Gateway.Requests.CPU.String() + " " + c.Resources.Gateway.Limits.CPU.String()
			}, "600m 2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg, err := parse(t, test.yaml)
			require.NoError(t, err)
			assert.Equal(t, test.want, test.got(cfg))
		})
	}
}

func TestGoodConfigurations(t *testing.T) {
	for name, text := range map[string]string{
		"keys with and without the namespace": "controlplane:availability: zonal\ncluster: {context: kind}",
		"keys of other namespaces":            "aws:region: eu-central-1\npulumi:disable-default-providers: ['*']\nkubernetes:cluster: x\nproxy:host: x",
		"components with nothing below":       "cluster:\ncertTrust: {acme: , platformCA: {selfSigned: }}",
		"mirror with port and path":           "artifacts: {imageMirror: 'registry.example.com:5000/a/b-c'}",
		"mirror on this host":                 "artifacts: {imageMirror: 'localhost:5000'}",
		"override by directory":               "artifacts: {overrides: {certManager: {directory: charts/cert-manager}}}",
		"override by repository":              "artifacts: {overrides: {certManager: {repository: 'https://charts.example.com', chart: cert-manager, version: v1.21.2}}}",
		"override by digest":                  "artifacts: {overrides: {certManager: {oci: 'oci://localhost:5000/a/b@sha256:" + fmt.Sprintf("%064d", 0) + "'}}}",
		"override by tag and digest":          "artifacts: {overrides: {certManager: {oci: 'oci://registry.example.com/a:v1@sha256:" + fmt.Sprintf("%064d", 0) + "'}}}",
		"existing CA":                         "certTrust: {platformCA: {source: existing, existing: {certificate: $CA, privateKey: $CA_KEY}}}",
		"existing CA with an EC key":          "certTrust: {platformCA: {source: existing, existing: {certificate: $CA, privateKey: $CA_SEC1_KEY}}}",
		"existing CA with a chain":            "certTrust: {platformCA: {source: existing, existing: {certificate: $CHAIN, privateKey: $CA_KEY}}}",
		"issuer from the platform CA":         "certTrust: {controlPlaneIssuer: {fromPlatformCA: true}}",
		"issuer from outside":                 "certTrust: {controlPlaneIssuer: {certificate: $CA, privateKey: $CA_KEY}}",
		"ACME by HTTP-01":                     "certTrust: {acme: {server: 'https://127.0.0.1:14000/dir', email: a@example.com, caBundle: $CA, http01: {ingressClassName: traefik}}}",
		"ACME by Route 53": "certTrust: {certManager: {dns01RecursiveNameservers: ['1.1.1.1:53', '[2606:4700::1111]:53', 'dns.example.com:53']}, acme: {server: 'https://acme.example.com/dir', email: a@example.com, " +
			"route53: {region: us-gov-west-1, hostedZoneID: Z0123, role: 'arn:aws-us-gov:iam::123456789012:role/path/dns'}}}",
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := parse(t, text)
			require.NoError(t, err)
			assert.NotNil(t, cfg)
		})
	}
}

// TestParseJSON reads values as the engine hands them to a program.
func TestParseJSON(t *testing.T) {
	cfg, err := config.ParseJSON(map[string]string{
		"controlplane:availability": "zonal",
		"controlplane:certTrust":    `{"bundle":{"name":"trust"},"trustManager":{"replicas":3.0}}`,
		"controlplane:cluster":      `{"kubeconfigContent":"kind: Config"}`,
		"controlplane:identity":     `{"hostname":"iris.example.com"}`,
		"aws:region":                "eu-central-1",
	})
	require.NoError(t, err)
	cfg.SetStack("prod")
	assert.Equal(t, config.Zonal, cfg.Availability)
	assert.Equal(t, "trust", cfg.CertTrust.Bundle.Name)
	assert.Equal(t, 3, cfg.CertTrust.TrustManager.Replicas)
	assert.Equal(t, "kind: Config", cfg.Cluster.KubeconfigContent.Reveal())
	assert.Equal(t, "prod", cfg.Cluster.Identifier)

	_, err = config.ParseJSON(map[string]string{
		"controlplane:certTrust":  `{"bundle": {`,
		"controlplane:clusters":   `{}`,
		"controlplane:identity":   `{"hostname":"iris.example.com"}`,
		"controlplane:monitoring": `{"customResourceDefinitions":"none"}`,
	})
	assert.EqualError(t, err, `controlplane:certTrust: a string must be a map with the keys acme, bundle, certManager, controlPlaneIssuer, platformCA, trustManager
controlplane:clusters: is not a key; allowed are `+components+`; did you mean "controlplane:cluster"?
controlplane:monitoring.customResourceDefinitions: "none" must be one of install, existing`)
}

func TestSetStackKeepsAnIdentifierOfItsOwn(t *testing.T) {
	cfg, err := parse(t, "cluster: {identifier: blue}")
	require.NoError(t, err)
	cfg.SetStack("prod")
	assert.Equal(t, "blue", cfg.Cluster.Identifier)
}

// TestSecretsAreNeverPrinted prints a configuration in every way that is at hand.
func TestSecretsAreNeverPrinted(t *testing.T) {
	cfg, err := config.Parse(map[string]any{
		"cluster":  map[string]any{"kubeconfigContent": config.Secret("hunter2")},
		"identity": map[string]any{"hostname": "iris.example.com"},
	})
	require.NoError(t, err)
	yamlText, err := yaml.Marshal(cfg)
	require.NoError(t, err)
	for _, printed := range []string{
		fmt.Sprint(cfg.Cluster), fmt.Sprintf("%v %+v %#v", cfg.Cluster, cfg.Cluster, cfg.Cluster),
		fmt.Sprintf("%s %q %x", cfg.Cluster.KubeconfigContent, cfg.Cluster.KubeconfigContent, cfg.Cluster.KubeconfigContent),
		toJSON(t, cfg), string(yamlText),
	} {
		assert.NotContains(t, printed, "hunter2")
		assert.NotContains(t, printed, "68756e74657232") // the same in hexadecimal
	}
	assert.Equal(t, "hunter2", cfg.Cluster.KubeconfigContent.Reveal())
}

// TestProblemsAreData shows what a program that reads JSON gets.
func TestProblemsAreData(t *testing.T) {
	_, err := parse(t, "availability: zonl\ncertTrust: {controlPlaneIssuer: {certificate: $CA, privateKey: not-a-key}}")
	data, jsonErr := json.Marshal(err)
	require.NoError(t, jsonErr)
	assert.JSONEq(t, `[
		{"path":"controlplane:availability","value":"\"zonl\"","message":"must be one of single, zonal","suggestion":"zonal"},
		{"path":"controlplane:certTrust.controlPlaneIssuer.privateKey","value":"[secret]","message":"`+privateKey+`"}
	]`, string(data))
}

// TestProjectFile compares the declarations in Pulumi.yaml with the components.
func TestProjectFile(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "Pulumi.yaml"))
	require.NoError(t, err)
	var project struct {
		Name   string
		Config map[string]struct {
			Type, Description string
			Default           any
		}
	}
	require.NoError(t, yaml.Unmarshal(data, &project))
	assert.Equal(t, config.Namespace, project.Name)

	keys, err := config.ProjectKeys()
	require.NoError(t, err)
	var want, got []string
	for _, key := range keys {
		want = append(want, fmt.Sprintf("%s %s %v %s", key.Name, key.Type, key.Default, key.Description))
		declared := project.Config[key.Name]
		got = append(got, fmt.Sprintf("%s %s %v %s", key.Name, declared.Type, declared.Default, declared.Description))
	}
	assert.Equal(t, want, got)
	assert.Len(t, project.Config, len(keys), "keys in Pulumi.yaml")
}

// TestStackFiles checks the stack files of the project itself.
func TestStackFiles(t *testing.T) {
	root := filepath.Join("..", "..")
	stacks, err := config.Stacks(root)
	require.NoError(t, err)
	assert.Contains(t, stacks, "dev")
	for _, stack := range stacks {
		cfg, err := config.Load(root, stack)
		require.NoError(t, err, stack)
		assert.NotEmpty(t, cfg.Cluster.Identifier, stack)
		data, err := os.ReadFile(filepath.Join(root, "Pulumi."+stack+".yaml"))
		require.NoError(t, err)
		assert.Regexp(t, `^# yaml-language-server: \$schema=schema/stack.json\n`, string(data), stack)
		assert.Contains(t, string(data), `pulumi:disable-default-providers: ["*"]`, stack)
		assert.Less(t, strings.Count(string(data), "\n"), 60, "lines of %s", stack)
	}
}
