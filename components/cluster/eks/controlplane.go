package eks

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

// logTypes are all that the control plane writes.
var logTypes = []string{"api", "audit", "authenticator", "controllerManager", "scheduler"}

// controlPlane is the registered cluster.
type controlPlane struct {
	pulumi.CustomResourceState
	ARN                  pulumi.StringOutput `pulumi:"arn"`
	Endpoint             pulumi.StringOutput `pulumi:"endpoint"`
	CertificateAuthority pulumi.AnyOutput    `pulumi:"certificateAuthority"`
	Identities           pulumi.AnyOutput    `pulumi:"identities"`
	VPCConfig            pulumi.AnyOutput    `pulumi:"vpcConfig"`
}

func (b *builder) controlPlane(net *network) (*controlPlane, error) {
	key, err := b.key()
	if err != nil {
		return nil, err
	}
	// EKS would make it with the first line, and keep the lines for ever.
	logs, err := b.account.Register(aws.LogGroup, "logs", pulumi.Map{
		"name":            pulumi.String("/aws/eks/" + b.args.Name + "/cluster"),
		"retentionInDays": pulumi.Int(b.args.LogRetentionDays),
	})
	if err != nil {
		return nil, err
	}
	actor, err := b.controlPlaneRole(logs)
	if err != nil {
		return nil, err
	}
	control := &controlPlane{}
	if err := b.account.RegisterInto(aws.EKSCluster, "cluster", b.clusterInputs(key, actor.ARN), control,
		// The control plane stays in the zones that it was made in: AWS refuses others. Nodes may be in more.
		pulumi.IgnoreChanges([]string{"vpcConfig.subnetIds"}),
		pulumi.Protect(b.args.Protect), dependOn(append(actor.permissions, logs)...)); err != nil {
		return nil, err
	}
	b.parent.Kubeconfig = b.kubeconfig(control)
	b.parent.OIDCIssuer = field(control.Identities, "identities", 0, "oidcs", 0, "issuer")
	// As long as there is no cluster, some plugins say of its network what they were given, and nothing else.
	network := pulumi.All(control.ID(), control.VPCConfig).ApplyT(func(values []any) any { return values[1] }).(pulumi.AnyOutput)
	b.parent.SecurityGroupID = field(network, "vpcConfig", "clusterSecurityGroupId")
	return control, nil
}

func (b *builder) clusterInputs(key, role pulumi.StringInput) pulumi.Map {
	vpc := pulumi.Map{
		"subnetIds":             pulumi.StringArray(b.parent.SubnetIDs),
		"endpointPrivateAccess": pulumi.Bool(true),
		"endpointPublicAccess":  pulumi.Bool(len(b.args.PublicCIDRs) > 0),
	}
	if len(b.args.PublicCIDRs) > 0 {
		vpc["publicAccessCidrs"] = pulumi.ToStringArray(b.args.PublicCIDRs)
	}
	support := "STANDARD"
	if b.args.ExtendedSupport {
		support = "EXTENDED"
	}
	inputs := pulumi.Map{
		"name": pulumi.String(b.args.Name), "version": pulumi.String(b.args.Version), "roleArn": role, "vpcConfig": vpc,
		// Roles and users are access entries: whoever may change a ConfigMap cannot make administrators.
		"accessConfig": pulumi.Map{
			"authenticationMode":                      pulumi.String("API"),
			"bootstrapClusterCreatorAdminPermissions": pulumi.Bool(true),
		},
		"encryptionConfig": pulumi.Map{
			"provider": pulumi.Map{"keyArn": key}, "resources": pulumi.ToStringArray([]string{"secrets"}),
		},
		"kubernetesNetworkConfig": pulumi.Map{
			"ipFamily": pulumi.String("ipv4"), "serviceIpv4Cidr": pulumi.String(b.args.ServiceCIDR),
		},
		"enabledClusterLogTypes": pulumi.ToStringArray(logTypes),
		"upgradePolicy":          pulumi.Map{"supportType": pulumi.String(support)},
		// They come as add-ons, which EKS keeps up to date.
		"bootstrapSelfManagedAddons": pulumi.Bool(false),
	}
	if b.args.ZonalShift {
		inputs["zonalShiftConfig"] = pulumi.Map{"enabled": pulumi.Bool(true)}
	}
	return inputs
}

// key returns the ARN of the key that encrypts Secrets: a given one, or one of the component's own.
func (b *builder) key() (pulumi.StringInput, error) {
	if b.args.KMSKeyARN != "" {
		return pulumi.String(b.args.KMSKeyARN), nil
	}
	return b.account.Key(aws.KeyNames{Key: "key", KeyAlias: "key", Alias: "eks/" + b.args.Name},
		"Secrets of the cluster "+b.args.Name, pulumi.Protect(b.args.Protect))
}

// controlPlaneRole is what the control plane makes network interfaces and load balancers with, for this cluster only.
// Source: https://docs.aws.amazon.com/eks/latest/userguide/cross-service-confused-deputy-prevention.html
func (b *builder) controlPlaneRole(logs *aws.Resource) (*madeRole, error) {
	return b.role(role{
		use: "control-plane", description: "The control plane of " + b.args.Name,
		managed: []string{"AmazonEKSClusterPolicy"},
		trust: document(logs.ARN, func(group string) (aws.Policy, error) {
			account, err := aws.AccountOf(group)
			return aws.ServiceTrust(aws.ServicePrincipal("eks", b.args.Region), condition{
				"ArnLike": {"aws:SourceArn": {b.arn("eks", account, "cluster/"+b.args.Name)}},
			}), err
		}),
	})
}

// arn is that of something in the region.
func (b *builder) arn(service, account, what string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", aws.Partition(b.args.Region), service, b.args.Region, account, what)
}

// visitors lets others than nodes and pods reach the private endpoint, by the security group that EKS makes for them all.
func (b *builder) visitors(control *controlPlane) error {
	for _, cidr := range b.args.PrivateCIDRs {
		if _, err := b.account.Register(aws.IngressRule, "api-server-"+strings.ReplaceAll(cidr, "/", "-"), pulumi.Map{
			"securityGroupId": b.parent.SecurityGroupID, "ipProtocol": pulumi.String("tcp"), "cidrIpv4": pulumi.String(cidr),
			"fromPort": pulumi.Int(443), "toPort": pulumi.Int(443), "description": pulumi.String("Kubernetes API"),
		}, dependOn(control)); err != nil {
			return err
		}
	}
	return nil
}

// access lets principals use the cluster. One may have several policies, each for namespaces of its own.
func (b *builder) access(control *controlPlane) error {
	entries := map[string]*aws.Resource{}
	for _, a := range b.args.Access {
		who, entry := accessName(a.PrincipalARN), entries[a.PrincipalARN]
		if entry == nil {
			var err error
			if entry, err = b.account.Register(aws.AccessEntry, who, pulumi.Map{
				"clusterName": pulumi.String(b.args.Name), "principalArn": pulumi.String(a.PrincipalARN),
				"type": pulumi.String("STANDARD"),
			}, dependOn(control)); err != nil {
				return err
			}
			entries[a.PrincipalARN] = entry
		}
		scope := pulumi.Map{"type": pulumi.String("cluster")}
		if len(a.Namespaces) > 0 {
			scope = pulumi.Map{"type": pulumi.String("namespace"), "namespaces": pulumi.ToStringArray(a.Namespaces)}
		}
		if _, err := b.account.Register(aws.AccessPolicyAssociation, who+"-"+a.Policy, pulumi.Map{
			"clusterName": pulumi.String(b.args.Name), "principalArn": pulumi.String(a.PrincipalARN),
			"policyArn": pulumi.String(fmt.Sprintf("arn:%s:eks::aws:cluster-access-policy/%s",
				aws.Partition(b.args.Region), accessPolicies[a.Policy])),
			"accessScope": scope,
		}, dependOn(entry)); err != nil {
			return err
		}
	}
	return nil
}

// accessName is what an access entry is called: by the account and the name of its principal.
func accessName(principal string) string {
	parts := strings.SplitN(principal, ":", 6)
	return "access-" + strings.ReplaceAll(strings.Join(parts[min(4, len(parts)-1):], "-"), "/", "-")
}

// identities lets IAM believe the tokens of the cluster's service accounts. AWS knows the authority of its own issuers,
// so there is no thumbprint.
func (b *builder) identities(control *controlPlane) error {
	provider, err := b.account.Register(aws.OIDCProvider, "oidc", pulumi.Map{
		"url": b.parent.OIDCIssuer, "clientIdLists": pulumi.ToStringArray([]string{"sts.amazonaws.com"}),
	}, dependOn(control))
	b.parent.OIDCProviderARN = provider.ARN
	return err
}

// field reads a text that is deep in an output.
func field(of pulumi.AnyOutput, name string, path ...any) pulumi.StringOutput {
	return of.ApplyT(func(v any) (string, error) {
		for _, step := range path {
			switch at := step.(type) {
			case string:
				object, _ := v.(map[string]any)
				v = object[at]
			case int:
				list, _ := v.([]any)
				if at >= len(list) {
					return "", fmt.Errorf("AWS has not said %s %v of the cluster", name, path)
				}
				v = list[at]
			}
		}
		text, ok := v.(string)
		if !ok {
			return "", fmt.Errorf("AWS has not said %s %v of the cluster", name, path)
		}
		return text, nil
	}).(pulumi.StringOutput)
}
