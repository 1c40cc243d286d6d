package manifest

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Resource is a registered object.
type Resource struct {
	pulumi.CustomResourceState
	// Metadata is the object's metadata as the cluster has it.
	Metadata pulumi.AnyOutput `pulumi:"metadata"`
	// Status is the object's status when the resource was ready.
	Status pulumi.AnyOutput `pulumi:"status"`
}

// Registrar registers sets as children of one component.
type Registrar struct {
	Ctx *pulumi.Context
	// Parent is the component that the objects belong to.
	Parent pulumi.Resource
	// Provider is the Kubernetes provider.
	Provider pulumi.ProviderResource
	// Transforms apply to every object, last.
	Transforms []Transform
}

// Group is a set after registration.
type Group struct {
	members []member
}

type member struct {
	object   *Object
	resource *Resource
}

// Resources returns the resources in the order of registration.
func (g *Group) Resources() []pulumi.Resource {
	var resources []pulumi.Resource
	for _, m := range g.members {
		resources = append(resources, m.resource)
	}
	return resources
}

// Ready makes a resource wait for everything in the group, hooks included:
// for cert-manager, until its API check has passed.
func (g *Group) Ready() pulumi.ResourceOption { return pulumi.DependsOn(g.Resources()) }

// RegisterAfter registers the set once everything in the groups is ready.
func (r *Registrar) RegisterAfter(set Set, groups ...*Group) (*Group, error) {
	var opts []pulumi.ResourceOption
	for _, g := range groups {
		opts = append(opts, g.Ready())
	}
	return r.Register(set, opts...)
}

// Step registers the set that a step of a component makes, once everything in the groups is ready.
func (r *Registrar) Step(step func() (Set, error), after ...*Group) (*Group, error) {
	set, err := step()
	if err != nil {
		return nil, err
	}
	return r.RegisterAfter(set, after...)
}

// Register registers every object of the set as an ordinary resource. The
// options apply to all of them. The set itself stays as it is.
//
// Objects wait for their namespace, for the CRD that defines them, and for
// pre-install hooks; pods for the accounts, permissions, configuration and
// network policies of the set; webhook configurations for its pods, one of
// which serves them, so that they never stand in the way of a deletion; and
// post-install hooks for all of it.
func (r *Registrar) Register(set Set, opts ...pulumi.ResourceOption) (*Group, error) {
	set = set.DeepCopy()
	if err := set.Transform(r.Transforms...); err != nil {
		return nil, err
	}
	set = newSet(set.All()) // a transform may have renamed or moved objects
	if err := checkUnique(set); err != nil {
		return nil, err
	}
	g := &Group{}
	register := func(o *Object, needs func(member) bool) error {
		var dependencies []pulumi.Resource
		for _, m := range g.members {
			if needs(m) {
				dependencies = append(dependencies, m.resource)
			}
		}
		res, err := r.register(o, dependencies, opts)
		if err != nil {
			return wrap(o, err)
		}
		g.members = append(g.members, member{o, res})
		return nil
	}
	for _, o := range sequence(set) {
		if err := register(o, needsOf(o)); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// sequence lists the objects so that each one follows all that it needs.
func sequence(set Set) []*Object {
	var first, before, rest, after []*Object
	for _, o := range set.Objects {
		if tierOf(o) == namespaces {
			first = append(first, o)
		} else {
			rest = append(rest, o)
		}
	}
	for _, o := range set.Hooks {
		if o.Hook.BeforeInstall {
			before = append(before, o)
		} else {
			after = append(after, o)
		}
	}
	var all []*Object
	for _, part := range [][]*Object{first, set.CRDs, before, rest, after} {
		all = append(all, part...)
	}
	return all
}

// needsOf tells which of the objects before it an object waits for.
func needsOf(o *Object) func(member) bool {
	return func(m member) bool {
		other := m.object
		switch {
		case isCRD(o) || tierOf(o) == namespaces && o.Hook == nil:
			return false
		case tierOf(other) == namespaces && other.Hook == nil:
			return other.GetName() == o.GetNamespace() || o.Hook != nil && !o.Hook.BeforeInstall
		case isCRD(other):
			return defines(other, o) || o.Hook != nil && !o.Hook.BeforeInstall
		case o.Hook != nil:
			return hookNeeds(o, other)
		case other.Hook != nil: // pre-install, because the others come last
			return true
		case bearsPods(o):
			// In any namespace: leader election often needs a role elsewhere.
			return tierOf(other) == prerequisites
		case tierOf(o) == interceptors:
			return bearsPods(other) || other.GetKind() == "Service"
		}
		return false
	}
}

// hookNeeds: a post-install hook waits for all objects, and any hook for those
// of lower weight, and at equal weight for what its pods refer to.
func hookNeeds(hook, other *Object) bool {
	if other.Hook == nil || other.Hook.BeforeInstall != hook.Hook.BeforeInstall {
		return !hook.Hook.BeforeInstall
	}
	if other.Hook.Weight != hook.Hook.Weight {
		return other.Hook.Weight < hook.Hook.Weight
	}
	return bearsPods(hook) && tierOf(other) == prerequisites
}

// defines reports whether crd is the definition of o's kind.
func defines(crd, o *Object) bool {
	gk, _ := definition(crd)
	return o.GroupVersionKind().GroupKind() == gk
}

// bearsPods reports whether pods come out of the object.
func bearsPods(o *Object) bool { return PodPath(o) != nil }

// PodPath returns the path of the pod template (metadata and spec) inside the
// object; for a Pod it is empty but not nil. It is nil for all other kinds.
func PodPath(o *Object) []string {
	switch gk := o.GroupVersionKind().GroupKind(); gk.String() {
	case "Pod":
		return []string{}
	case "Deployment.apps", "StatefulSet.apps", "DaemonSet.apps", "ReplicaSet.apps", "Job.batch", "ReplicationController":
		return []string{"spec", "template"}
	case "CronJob.batch":
		return []string{"spec", "jobTemplate", "spec", "template"}
	}
	return nil
}

func (r *Registrar) register(o *Object, dependencies []pulumi.Resource, common []pulumi.ResourceOption) (*Resource, error) {
	props, err := properties(o)
	if err != nil {
		return nil, err
	}
	opts := []pulumi.ResourceOption{pulumi.Parent(r.Parent), pulumi.Provider(r.Provider)}
	if len(dependencies) > 0 {
		opts = append(opts, pulumi.DependsOn(dependencies))
	}
	if isSecret(o) {
		opts = append(opts, pulumi.AdditionalSecretOutputs([]string{"data", "stringData"}))
	}
	if path, ok := caBundlePaths[o.GetKind()]; ok && len(clientConfigs(o)) > 0 && !ownsCABundle(o) {
		opts = append(opts, pulumi.IgnoreChanges([]string{path}))
	}
	opts = append(opts, common...)
	opts = append(opts, o.Options...)
	res := &Resource{}
	if err := r.Ctx.RegisterResource(Token(o), o.LogicalName(), props, res, opts...); err != nil {
		return nil, fmt.Errorf("registering: %w", err)
	}
	if parent, ok := r.Parent.(interface{ Include(...pulumi.Resource) }); ok {
		parent.Include(res)
	}
	return res, nil
}

// Token returns the Pulumi type of an object, as the Kubernetes provider
// names it: kubernetes:apps/v1:Deployment, kubernetes:core/v1:Secret.
func Token(o *Object) string {
	version := o.GetAPIVersion()
	if !strings.Contains(version, "/") {
		version = "core/" + version
	}
	return "kubernetes:" + version + ":" + o.GetKind()
}

// checkUnique rejects two descriptions of one object: they would overwrite
// each other without end.
func checkUnique(set Set) error {
	type key struct{ token, name string }
	seen := map[key]*Object{}
	for _, o := range set.All() {
		k := key{Token(o), o.LogicalName()}
		if first, ok := seen[k]; ok {
			return fmt.Errorf("%s is described twice, in %q and in %q", o, first.Source, o.Source)
		}
		seen[k] = o
	}
	return nil
}
