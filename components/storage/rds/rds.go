package rds

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/components/storage/postgresql"
	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// Type is the component's type token.
const Type = "controlplane:storage:RDS"

const (
	// Administrator is the role that makes the others. Its password is in the Secret AdministratorSecret names.
	Administrator = "platform_admin"
	// PeopleRole is the role that people log in as with tokens of IAM. It reads what is in the databases.
	PeopleRole = "platform_people"
)

// AdministratorSecret names the Secret with the name and password of an instance's administrator.
func AdministratorSecret(instance string) string { return instance + "-administrator" }

// RDS is a set of databases that accept connections.
type RDS struct {
	pulumi.ResourceState
	manifest.Members
	// Databases tell how to connect, by the database's name.
	Databases map[string]postgresql.Connection
}

// builder carries what the steps of New share.
type builder struct {
	args      Args
	name      string
	reg       *manifest.Registrar
	account   aws.Account
	databases map[string]postgresql.Connection
}

// New provisions the component.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (*RDS, error) {
	if err := args.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	r := &RDS{}
	if err := ctx.RegisterComponentResource(Type, name, r, opts...); err != nil {
		return nil, fmt.Errorf("register %s: %w", name, err)
	}
	connections, err := args.Connections()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	r.Databases = connections
	b := &builder{
		args: args, name: name, reg: args.Registrar(ctx, r), databases: r.Databases,
		account: aws.Account{Ctx: ctx, Provider: args.AWS, Parent: r, Include: r.Include, Tags: args.Tags},
	}
	if err := b.build(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return r, ctx.RegisterResourceOutputs(r, pulumi.Map{})
}

// build registers the parts in the order in which each can work.
func (b *builder) build() error {
	namespace, err := b.reg.Step(func() (manifest.Set, error) {
		return manifest.Typed(b.args.Namespaces.Objects(postgresql.Namespace, b.args.NamespaceLabels())...)
	})
	if err != nil {
		return err
	}
	g, err := b.ground()
	if err != nil {
		return err
	}
	for _, i := range b.args.Instances {
		if err := b.provision(i, g, namespace); err != nil {
			return fmt.Errorf("cluster %s: %w", i.Name, err)
		}
	}
	return nil
}

// provision registers an instance and all that belongs to it.
func (b *builder) provision(i Instance, g ground, namespace *manifest.Group) error {
	password, err := b.args.Password(b.reg.Ctx, b.reg.Parent, fmt.Sprintf("%s-%s-administrator", b.name, i.Name))
	if err != nil {
		return err
	}
	made, err := b.instance(i, g, password)
	if err != nil {
		return err
	}
	for _, d := range i.Databases {
		c := b.databases[d.Name]
		c.Host, c.Primary = made.Address, made.Address
		c.Password, err = b.args.Password(b.reg.Ctx, b.reg.Parent, fmt.Sprintf("%s-%s-%s", b.name, i.Name, d.Owner))
		if err != nil {
			return err
		}
		b.databases[d.Name] = c
	}
	administrator := b.administrator(i, made, password)
	logins, err := b.reg.Step(func() (manifest.Set, error) { return b.logins(i, administrator) }, namespace)
	if err != nil {
		return err
	}
	job, err := b.job(i, administrator, made)
	if err != nil {
		return err
	}
	databases, err := b.reg.Register(job, logins.Ready(), pulumi.DependsOn(append(g.guard.Rules, made)))
	if err != nil {
		return err
	}
	_, err = b.reg.Step(func() (manifest.Set, error) { return b.controlPlane(i) }, databases)
	return err
}
