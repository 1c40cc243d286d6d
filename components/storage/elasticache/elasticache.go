package elasticache

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/telekom/controlplane-infrastructure/components/storage/managed"
	"github.com/telekom/controlplane-infrastructure/components/storage/valkey"
	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/part"
)

// Type is the component's type token.
const Type = "controlplane:storage:ElastiCache"

// The longest names that AWS takes, that of a security group without what is added to it.
const longestGroup, longestName, longestGuard = 40, 240, 200

// Args configure the component. Native types decide what exists; Pulumi inputs carry values.
type Args struct {
	part.Common
	// AWS is the account and region that the servers are in.
	AWS pulumi.ProviderResource
	// Network is where they are. Only its addresses are needed before New.
	Network managed.Network
	// Name begins the names of everything in AWS.
	Name string
	// Tags are put on everything in AWS that can have tags.
	Tags map[string]string
	// EngineVersion is the version of Valkey: major and minor.
	EngineVersion string
	// NodeType is what each server runs on, such as cache.t4g.small.
	NodeType string
	// Nodes are the primary and its replicas. With more than one a replica takes over for a primary that fails.
	Nodes int
	// EvictionPolicy says what happens when the memory is full, such as allkeys-lru or noeviction.
	EvictionPolicy string
	// SnapshotRetentionDays is how long daily snapshots are kept; 0: there are none.
	SnapshotRetentionDays int
	// MaintenanceWindow is when AWS works on servers, in UTC, such as sun:03:30-sun:04:30.
	MaintenanceWindow string
	// KMSKeyARN is the key that encrypts what is on disks; empty: one that AWS owns.
	KMSKeyARN string
	// Image has valkey-cli and a shell.
	Image string
	// Clients are who uses it beside the Control Plane.
	Clients []valkey.Client
}

// ElastiCache is a cache behind one address.
type ElastiCache struct {
	pulumi.ResourceState
	manifest.Members
	// Host leads to the primary, on the port valkey.Port and with TLS.
	Host pulumi.StringOutput
	// Password is for clients, which log in as valkey.User or send the password alone.
	Password pulumi.StringOutput
}

// Check reports what cannot work. New does as well, but others may want to know before they register anything.
func (a Args) Check() error {
	var problems []error
	if a.Nodes < 1 || a.Nodes > 6 {
		problems = append(problems, fmt.Errorf("nodes: %d; allowed are 1 to 6, a primary and five replicas", a.Nodes))
	}
	if _, err := a.family(); err != nil {
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// family is the family of parameters of the version.
func (a Args) family() (string, error) {
	major, _, found := strings.Cut(a.EngineVersion, ".")
	if !found || major == "" {
		return "", fmt.Errorf("version: %q; a major and a minor version, such as 8.1", a.EngineVersion)
	}
	return "valkey" + major, nil
}

// Flows are the connections to the cache, as far as they begin in a namespace of the platform: others' policies are others'
// business.
func (a Args) Flows() []flow.Flow {
	flows := []flow.Flow{{
		Name: checkName, From: checkPods(), To: a.Network.Stores("Amazon ElastiCache"), Ports: []int{valkey.Port},
		Why: "A Job tries the cache, as clients use it.",
	}}
	controlPlane := valkey.Client{Name: "controlplane", Pods: flow.Peer{Namespace: a.ControlPlaneNamespace}}
	for _, client := range append([]valkey.Client{controlPlane}, a.Clients...) {
		if client.Pods.Namespace == "" {
			continue
		}
		flows = append(flows, flow.Flow{
			Name: "valkey-" + client.Name, From: client.Pods, To: a.Network.Stores("Amazon ElastiCache"), Ports: []int{valkey.Port},
			Why: "Limits of rates and the health of zones are kept in the cache.",
		})
	}
	return flows
}

// builder carries what the steps of New share.
type builder struct {
	args    Args
	name    string
	account aws.Account
}

// New provisions the component.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (*ElastiCache, error) {
	if err := args.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	c := &ElastiCache{}
	if err := ctx.RegisterComponentResource(Type, name, c, opts...); err != nil {
		return nil, fmt.Errorf("register %s: %w", name, err)
	}
	b := &builder{args: args, name: name, account: aws.Account{
		Ctx: ctx, Provider: args.AWS, Parent: c, Include: c.Include, Tags: args.Tags,
	}}
	if err := b.build(c, args.Registrar(ctx, c)); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"host": c.Host, "password": c.Password})
}

func (b *builder) build(c *ElastiCache, reg *manifest.Registrar) (err error) {
	if c.Password, err = b.args.Password(reg.Ctx, c, b.name+"-client"); err != nil {
		return err
	}
	made, err := b.servers(c.Password)
	if err != nil {
		return err
	}
	c.Host = made.PrimaryEndpoint
	secret, err := b.secret(c.Password)
	if err != nil {
		return err
	}
	login, err := reg.Register(secret, pulumi.DependsOn([]pulumi.Resource{made}))
	if err != nil {
		return err
	}
	check, err := b.check(made, c.Password)
	if err != nil {
		return err
	}
	_, err = reg.RegisterAfter(check, login)
	return err
}

// group is what is read of a replication group.
type group struct {
	pulumi.CustomResourceState
	// PrimaryEndpoint is the host name of whichever server is the primary.
	PrimaryEndpoint pulumi.StringOutput `pulumi:"primaryEndpointAddress"`
}

func (b *builder) servers(password pulumi.StringInput) (*group, error) {
	subnets, err := b.account.Register(aws.CacheSubnetGroup, b.name+"-subnets", pulumi.Map{
		"name":        pulumi.String(managed.Name(longestName, b.args.Name, "cache")),
		"description": pulumi.String("Cache of " + b.args.Name), "subnetIds": pulumi.StringArray(b.args.Network.SubnetIDs),
	})
	if err != nil {
		return nil, err
	}
	parameters, err := b.parameters()
	if err != nil {
		return nil, err
	}
	guard, err := b.args.Network.Guard(b.account, b.name+"-guard", managed.Name(longestGuard, b.args.Name, "cache"),
		"Clients of the cache of "+b.args.Name, valkey.Port)
	if err != nil {
		return nil, err
	}
	replicated := pulumi.Bool(b.args.Nodes > 1)
	inputs := pulumi.Map{
		"replicationGroupId": pulumi.String(managed.Name(longestGroup, b.args.Name)),
		"description":        pulumi.String("Cache of " + b.args.Name),
		"engine":             pulumi.String("valkey"), "engineVersion": pulumi.String(b.args.EngineVersion),
		"autoMinorVersionUpgrade": pulumi.Bool(true), "parameterGroupName": parameters.ID(),
		"nodeType": pulumi.String(b.args.NodeType), "numCacheClusters": pulumi.Int(b.args.Nodes),
		// AWS places the servers in zones of the subnets, as many different ones as there are.
		"automaticFailoverEnabled": replicated, "multiAzEnabled": replicated,

		"port": pulumi.Int(valkey.Port), "subnetGroupName": subnets.ID(), "securityGroupIds": pulumi.StringArray{guard.ID},
		"transitEncryptionEnabled": pulumi.Bool(true), "transitEncryptionMode": pulumi.String("required"),
		// A new password leaves the one before it valid, until the next one comes: clients change at their own pace.
		"authToken": password, "authTokenUpdateStrategy": pulumi.String("ROTATE"),
		"atRestEncryptionEnabled": pulumi.Bool(true),

		"snapshotRetentionLimit": pulumi.Int(b.args.SnapshotRetentionDays),
		"maintenanceWindow":      pulumi.String(b.args.MaintenanceWindow), "applyImmediately": pulumi.Bool(false),
	}
	if b.args.KMSKeyARN != "" {
		inputs["kmsKeyId"] = pulumi.String(b.args.KMSKeyARN)
	}
	made := &group{}
	return made, b.account.RegisterInto(aws.CacheGroup, b.name, inputs, made, pulumi.Protect(b.args.Protect),
		// Another one has the same name: it cannot be there before this one goes. What is in a cache can be made again.
		pulumi.DeleteBeforeReplace(true), pulumi.DependsOn(guard.Rules),
		pulumi.Timeouts(&pulumi.CustomTimeouts{Create: "60m", Update: "90m", Delete: "45m"}))
}

// parameters have the family in their name, which belongs to them: with another one a new group takes the old one's place
// before that goes.
func (b *builder) parameters() (*aws.Resource, error) {
	family, err := b.args.family()
	if err != nil {
		return nil, err
	}
	return b.account.Register(aws.CacheParameters, b.name+"-parameters", pulumi.Map{
		"name":        pulumi.String(managed.Name(longestName, b.args.Name, family)),
		"family":      pulumi.String(family),
		"description": pulumi.String("Cache of " + b.args.Name),
		"parameters": pulumi.Array{pulumi.Map{
			"name": pulumi.String("maxmemory-policy"), "value": pulumi.String(b.args.EvictionPolicy),
		}},
	})
}

// secret is what clients in Kubernetes read, where they find it with a cache of the cluster's too.
func (b *builder) secret(password pulumi.StringInput) (manifest.Set, error) {
	objects := append(b.args.Namespaces.Objects(valkey.Namespace, b.args.NamespaceLabels()), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: valkey.Namespace, Name: valkey.SecretName},
	})
	set, err := manifest.Typed(objects...)
	if err == nil {
		set.Find("Secret", valkey.SecretName).Set(password, "stringData", "password")
	}
	return set, err
}
