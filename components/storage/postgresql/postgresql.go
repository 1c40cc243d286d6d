package postgresql

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// Type is the component's type token.
const Type = "controlplane:storage:PostgreSQL"

const (
	// Namespace is where the clusters run.
	Namespace = "postgresql"
	// OperatorNamespace is where the operator and the backup plugin run; both manifests name it.
	OperatorNamespace = "cnpg-system"
	// ControlPlaneSecret is where the Control Plane finds its database: key url.
	ControlPlaneSecret = "controlplane-db"
	// ClusterLabel has the name of the cluster that a pod belongs to, poolers included; the operator sets it.
	ClusterLabel = "cnpg.io/cluster"
	// Port is that of databases and poolers.
	Port = 5432
)

// PostgreSQL is a set of databases that accept connections.
type PostgreSQL struct {
	pulumi.ResourceState
	manifest.Members
	// Databases tell how to connect, by the database's name.
	Databases map[string]Connection
}

// builder carries what the steps of New share.
type builder struct {
	args Args
	reg  *manifest.Registrar
	name string
	// databases are the connections so far, by database.
	databases map[string]Connection
}

// New provisions the component.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (*PostgreSQL, error) {
	p := &PostgreSQL{Databases: map[string]Connection{}}
	if err := ctx.RegisterComponentResource(Type, name, p, opts...); err != nil {
		return nil, fmt.Errorf("register %s: %w", name, err)
	}
	if err := args.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	b := &builder{args: args, name: name, reg: args.Registrar(ctx, p), databases: p.Databases}
	if err := b.build(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, ctx.RegisterResourceOutputs(p, pulumi.Map{})
}

// build registers the parts in the order in which each can work.
func (b *builder) build() error {
	namespaces, err := b.reg.Step(b.namespaces)
	if err != nil {
		return err
	}
	operator, err := b.operator(namespaces)
	if err != nil {
		return err
	}
	plugin, err := b.backupPlugin(operator)
	if err != nil {
		return err
	}
	issuer, err := b.reg.Step(selfSigned, namespaces)
	if err != nil {
		return err
	}
	for _, cluster := range b.args.Clusters {
		if err := b.cluster(cluster, issuer, plugin); err != nil {
			return fmt.Errorf("cluster %s: %w", cluster.Name, err)
		}
	}
	return nil
}

// namespaces are that of the operator and that of the clusters. In the latter clients and metrics are verified by the
// trust bundle.
func (b *builder) namespaces() (manifest.Set, error) {
	set, err := manifest.Typed(append(b.args.Namespaces.Objects(OperatorNamespace, nil),
		b.args.Namespaces.Objects(Namespace, b.args.NamespaceLabels())...)...)
	if err != nil {
		return set, err
	}
	// The databases go with their namespace.
	b.args.Stateful(set.Find("Namespace", Namespace))
	return set, nil
}

// cluster registers a cluster and all that belongs to it. It needs the issuer of client certificates' authorities and
// whatever acts on the cluster's objects.
func (b *builder) cluster(c Cluster, issuer, controllers *manifest.Group) error {
	p, err := planOf(c)
	if err != nil {
		return err
	}
	with := func(step func(plan) (manifest.Set, error)) func() (manifest.Set, error) {
		return func() (manifest.Set, error) { return step(p) }
	}
	credentials, err := b.reg.Step(with(b.credentials), issuer)
	if err != nil {
		return err
	}
	stores, err := b.reg.Step(with(b.stores), controllers)
	if err != nil {
		return err
	}
	cluster, err := b.reg.Step(with(b.clusterObject), credentials, stores, controllers)
	if err != nil {
		return err
	}
	members, err := b.reg.Step(with(b.members), cluster)
	if err != nil {
		return err
	}
	checked, err := b.reg.Step(with(b.check), members, cluster)
	if err != nil {
		return err
	}
	_, err = b.reg.Step(with(b.controlPlaneSecret), checked)
	return err
}

// members are what exists only with a cluster: its databases, its pooler, its backups and its metrics.
func (b *builder) members(p plan) (manifest.Set, error) {
	var sets []manifest.Set
	for _, step := range []func(plan) (manifest.Set, error){databases, b.pooler, schedule, b.monitors} {
		set, err := step(p)
		if err != nil {
			return manifest.Set{}, err
		}
		sets = append(sets, set)
	}
	return manifest.Merge(sets...), nil
}
