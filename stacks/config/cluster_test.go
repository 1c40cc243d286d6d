package config_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

// defaultEKS is a cluster of EKS in eu-central-1 of which nothing is configured.
func defaultEKS() *config.EKS {
	zones := []string{"eu-central-1a", "eu-central-1b", "eu-central-1c"}
	return &config.EKS{
		Version: "1.35", Support: config.SupportStandard, Name: "controlplane-prod", Zones: zones,
		VPC: config.EKSVPC{
			CIDR: "10.0.0.0/16", PrivateCIDRs: []string{"10.0.0.0/18", "10.0.64.0/18", "10.0.128.0/18"},
			PublicCIDRs: []string{"10.0.192.0/24", "10.0.193.0/24", "10.0.194.0/24"},
			NATGateways: config.NATSingle, FlowLogs: config.EKSFlowLogs{RetentionDays: 30},
		},
		ServiceCIDR: "172.20.0.0/16", LogRetentionDays: 90,
		NodeGroups:  []config.EKSNodeGroup{group("platform", zones)},
		AddOns:      config.EKSAddOns{VPCCNI: config.VPCCNI{NetworkPolicyMode: config.PoliciesStandard}},
		Autoscaling: config.EKSAutoscaling{Enabled: true, Image: "registry.k8s.io/autoscaling/cluster-autoscaler:v1.35.1"},
	}
}

func group(name string, zones []string) config.EKSNodeGroup {
	return config.EKSNodeGroup{
		Name: name, Zones: zones, InstanceTypes: []string{"m7i.xlarge"}, CapacityType: config.CapacityOnDemand,
		OperatingSystem: config.NodeAL2023, Architecture: config.ArchitectureX86,
		MinSize: 1, MaxSize: 3, DesiredSize: 1, DiskSize: volume("50Gi", "").Size,
	}
}

func TestDefaultEKS(t *testing.T) {
	cfg, err := parse(t, eks(""))
	require.NoError(t, err)
	cfg.SetStack("prod")
	assert.Equal(t, toJSON(t, defaultEKS()), toJSON(t, cfg.Cluster.EKS))
	assert.Equal(t, config.PolicyPeer{
		CIDRs: []string{"10.0.0.0/18", "10.0.64.0/18", "10.0.128.0/18", "172.20.0.1/32"}, Ports: []int{443},
	}, cfg.Network.Policies.APIServer, "its interfaces, and the Service that pods know it by")
	assert.Equal(t, config.LoadBalancerNLBCloudProvider, cfg.Network.Ingress.Traefik.Service.LoadBalancer)
}

// TestDerivedEKS shows what follows from other values, and that a stack may
// override it.
func TestDerivedEKS(t *testing.T) {
	type c = *config.Config
	vpc := func(c c) any {
		v := c.Cluster.EKS.VPC
		return []string{strings.Join(v.PrivateCIDRs, " "), strings.Join(v.PublicCIDRs, " "), string(v.NATGateways)}
	}
	zones := func(c c) any { return strings.Join(c.Cluster.EKS.Zones, " ") }
	server := func(c c) any { return c.Network.Policies.APIServer }
	first := func(c c) config.EKSNodeGroup { return c.Cluster.EKS.NodeGroups[0] }
	balancer := func(c c) any { return c.Network.Ingress.Traefik.Service.LoadBalancer }
	for _, test := range []struct {
		name, yaml string
		got        func(c) any
		want       any
	}{
		{"NAT gateway per zone with zonal", "availability: zonal\n" + eks(""), func(c c) any { return c.Cluster.EKS.VPC.NATGateways }, config.NATZonal},
		{"one NAT gateway with zonal", "availability: zonal\n" + eks("vpc: {natGateways: single}"), func(c c) any { return c.Cluster.EKS.VPC.NATGateways }, config.NATSingle},
		{"subnets of two zones", eks("zones: [eu-central-1a, eu-central-1b]"), vpc,
			[]string{"10.0.0.0/18 10.0.64.0/18", "10.0.192.0/24 10.0.193.0/24", "single"}},
		{"subnets of four zones in a small network", eks("zones: [eu-central-1a, eu-central-1b, eu-central-1c, eu-central-1d], vpc: {cidr: 192.168.16.0/20}"), vpc,
			[]string{"192.168.16.0/23 192.168.18.0/23 192.168.20.0/23 192.168.22.0/23", "192.168.30.0/25 192.168.30.128/25 192.168.31.0/25 192.168.31.128/25", "single"}},
		{"subnets of six zones", eks("zones: [eu-central-1a, eu-central-1b, eu-central-1c, eu-central-1d, eu-central-1e, eu-central-1f]"),
			func(c c) any { return c.Cluster.EKS.VPC.PrivateCIDRs[5] + " " + c.Cluster.EKS.VPC.PublicCIDRs[5] }, "10.0.160.0/19 10.0.229.0/24"},
		{"subnets of its own", eks("zones: [eu-central-1a, eu-central-1b], vpc: {privateCidrs: [10.0.0.0/20, 10.0.16.0/20], publicCidrs: [10.0.32.0/28, 10.0.32.16/28]}"), vpc,
			[]string{"10.0.0.0/20 10.0.16.0/20", "10.0.32.0/28 10.0.32.16/28", "single"}},
		{"zones of Tokyo", "aws: {region: ap-northeast-1}\ncluster: {kind: eks}", zones, "ap-northeast-1a ap-northeast-1c ap-northeast-1d"},
		{"zones of its own", eks("zones: [eu-central-1c, eu-central-1a]"), zones, "eu-central-1c eu-central-1a"},
		{"existing network", "availability: zonal\n" + eks("vpc: {cidr: 10.7.0.0/24, "+subnets+"}"), zones, "eu-central-1a eu-central-1b eu-central-1c"},
		{"no subnets in an existing network", eks("vpc: {cidr: 10.7.0.0/24, " + subnets + "}"), vpc, []string{"", "", ""}},
		{"API server in an existing network", eks("serviceCidr: 192.168.128.0/20, vpc: {cidr: 10.7.0.0/24, " + subnets + "}"), server,
			config.PolicyPeer{CIDRs: []string{"10.7.0.0/24", "192.168.128.1/32"}, Ports: []int{443}}},
		{"API server by addresses of its own", eks("") + "\nnetwork: {policies: {apiServer: {cidrs: [10.0.0.0/16], ports: [443, 6443]}}}", server,
			config.PolicyPeer{CIDRs: []string{"10.0.0.0/16"}, Ports: []int{443, 6443}}},
		{"nodes of Graviton", nodes("{name: a, architecture: arm64}"), func(c c) any { return first(c).InstanceTypes }, []string{"m7g.xlarge"}},
		{"nodes at first", nodes("{name: a, minSize: 2, maxSize: 6}"), func(c c) any { return first(c).DesiredSize }, 2},
		{"a group that is empty at first", nodes("{name: a}, {name: b, minSize: 0, zones: [eu-central-1b]}"),
			func(c c) any {
				g := c.Cluster.EKS.NodeGroups[1]
				return []any{g.MinSize, g.DesiredSize, g.Zones}
			}, []any{0, 0, []string{"eu-central-1b"}}},
		{"groups that only some pods run on", nodes("{name: a}, {name: b, labels: {team: edge}, taints: [{key: dedicated, value: edge, effect: NoSchedule}]}"),
			func(c c) any { return c.Cluster.EKS.NodeGroups[1].Taints }, []config.EKSTaint{{Key: "dedicated", Value: "edge", Effect: "NoSchedule"}}},
		{"autoscaler of the version", eks("version: '1.31', supportType: extended"), func(c c) any { return c.Cluster.EKS.Autoscaling.Image },
			"registry.k8s.io/autoscaling/cluster-autoscaler:v1.31.5"},
		{"autoscaler of its own", eks("autoscaling: {enabled: false, image: 'registry.example.com/scaler:1'}"), func(c c) any { return c.Cluster.EKS.Autoscaling },
			config.EKSAutoscaling{Image: "registry.example.com/scaler:1"}},
		{"open to the world on purpose", eks("endpoint: {openToWorld: true, publicCidrs: [0.0.0.0/0]}"), func(c c) any { return c.Cluster.EKS.Endpoint },
			config.EKSEndpoint{OpenToWorld: true, PublicCIDRs: []string{"0.0.0.0/0"}}},
		{"access to namespaces", eks("access: [{principalArn: 'arn:aws:iam::123456789012:role/dev', policy: view, namespaces: [monitoring]}]"),
			func(c c) any { return c.Cluster.EKS.Access }, []config.EKSAccess{{PrincipalARN: "arn:aws:iam::123456789012:role/dev", Policy: config.EKSView, Namespaces: []string{"monitoring"}}}},
		{"load balancer of another controller", eks("") + "\n" + traefik("service: {loadBalancer: nlb}"), balancer, config.LoadBalancerNLB},
		{"load balancer by its class", eks("") + "\n" + traefik("service: {loadBalancerClass: eks.amazonaws.com/nlb}"), balancer, config.LoadBalancerNone},
		{"no load balancer", eks("") + "\n" + traefik("service: {type: NodePort}"), balancer, config.LoadBalancerNone},
		{"metrics-server over zones", "availability: zonal\ncluster: {metricsServer: {install: true, skipKubeletVerification: true}}",
			func(c c) any { return c.Cluster.MetricsServer.Replicas }, 2},
		{"S3 with the provider of the cluster", "aws: {region: eu-central-1}\ncluster: {kind: eks}\nstorage: {objectStorage: {backend: s3, bucket: files}}",
			func(c c) any { return c.Storage.ObjectStorage.Bucket + c.Cluster.OIDCProviderARN }, "files"},
		{"namespaces of a cluster of EKS", eks("") + "\nnetwork: {policies: {additional: [{name: a, namespace: cluster-autoscaler, ports: [443], why: A proxy.}]}}",
			func(c c) any { return c.Network.Policies.Additional[0].Namespace }, "cluster-autoscaler"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg, err := parse(t, test.yaml)
			require.NoError(t, err)
			assert.Equal(t, test.want, test.got(cfg))
		})
	}
}

// TestNameOfTheCluster has AWS take the name of every stack.
func TestNameOfTheCluster(t *testing.T) {
	for stack, want := range map[string]string{
		"prod": "controlplane-prod", "eu.prod_2": "controlplane-eu-prod_2", strings.Repeat("x", 100): "controlplane-" + strings.Repeat("x", 87),
	} {
		cfg, err := parse(t, eks(""))
		require.NoError(t, err)
		cfg.SetStack(stack)
		assert.Equal(t, want, cfg.Cluster.EKS.Name)
	}
	cfg, err := parse(t, eks("name: blue"))
	require.NoError(t, err)
	cfg.SetStack("prod")
	assert.Equal(t, "blue", cfg.Cluster.EKS.Name)
}

// TestEKSVersions compares what is known of versions with what is allowed.
func TestEKSVersions(t *testing.T) {
	var known []string
	for _, v := range config.EKSVersions() {
		known = append(known, v.Version)
		assert.Equal(t, v.StandardSupportEnds.AddDate(1, 0, 0), v.ExtendedSupportEnds, "extended support of %s is a year", v.Version)
		cfg, err := parse(t, eks("version: '"+v.Version+"'"))
		require.NoError(t, err)
		assert.Contains(t, cfg.Cluster.EKS.Autoscaling.Image, ":v"+v.Version+".")
	}
	assert.Equal(t, versions, "must be one of "+strings.Join(known, ", "))
	assert.True(t, slices.IsSorted(known))
}

func TestWarnings(t *testing.T) {
	on := func(date string) time.Time {
		day, err := time.Parse(time.DateOnly, date)
		require.NoError(t, err)
		return day
	}
	const version = "controlplane:cluster.eks.version: "
	for _, test := range []struct {
		name, yaml, on string
		want           []string
	}{
		{"cluster that exists", "availability: zonal", "2099-01-01", nil},
		{"default version", eks(""), "2026-11-23", nil},
		{"long before", eks("version: '1.34'"), "2026-10-02", nil},
		{"soon", eks("version: '1.34'"), "2026-10-03", []string{
			version + `"1.34" is in standard support until 2026-12-02 only: AWS upgrades the cluster then`}},
		{"soon at a price", eks("version: '1.34', supportType: extended"), "2026-12-01", []string{
			version + `"1.34" is in standard support until 2026-12-02 only: the cluster costs more per hour from then on`}},
		{"outside of standard support", eks("version: '1.33', supportType: extended"), "2026-07-29", []string{
			version + `"1.33" is outside of standard support since 2026-07-29: the cluster costs more per hour, and on 2027-07-29 extended support ends, too`}},
		{"outside of the support that was asked for", eks("version: '1.31'"), "2026-11-23", []string{
			version + `"1.31" is outside of standard support since 2025-11-26: with supportType standard no new cluster can have it, and AWS upgrades those that do, at any time; with supportType extended it is supported until 2026-11-26, at a price per hour`}},
		{"outside of all support", eks("version: '1.31', supportType: extended"), "2026-11-26", []string{
			version + `"1.31" has no support by EKS any more since 2026-11-26: no new cluster can have it, and AWS upgrades those that do, at any time`}},
		{"one NAT gateway for three zones", "availability: zonal\n" + eks("vpc: {natGateways: single}"), "2026-11-23", []string{
			`controlplane:cluster.eks.vpc.natGateways: "single" has every zone lose the internet, and with it images and APIs of AWS, when the one zone with the gateway fails; zonal does not`}},
		{"add-ons without policies", eks("addOns: {vpcCni: {networkPolicyMode: strict}}"), "2026-11-23", []string{
			`controlplane:cluster.eks.addOns.vpcCni.networkPolicyMode: "strict" isolates add-ons in kube-system, too, so that CoreDNS and others never start on a new cluster; it has to be created with standard, and be given policies that let them work, before it may be strict`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg, err := parse(t, test.yaml)
			require.NoError(t, err)
			var got []string
			for _, warning := range cfg.Warnings(on(test.on)) {
				got = append(got, warning.String())
			}
			assert.Equal(t, test.want, got)
		})
	}
}
