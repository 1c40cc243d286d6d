// Package part is what the components that hold passwords and data have in common.
package part

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/pulumi/pulumi-random/sdk/v4/go/random"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/namespace"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

// Common is what every part is given.
type Common struct {
	// Provider is the cluster that everything is registered with; Random makes the passwords.
	Provider, Random pulumi.ProviderResource
	// Transforms apply to every object before it is registered, such as the image mirror.
	Transforms []manifest.Transform
	// Availability says how much failure the part survives.
	Availability workload.Availability
	// Classes size operators and short helpers.
	Classes workload.Classes
	// Issuer is the ClusterIssuer of the certificates between the platform's parts.
	Issuer string
	// Trust is the bundle that verifies them.
	Trust Trust
	// Namespaces are made by it: with network policies, and part of the mesh.
	Namespaces namespace.Plan
	// Surroundings are the peers that the cluster brings.
	Surroundings
	// ControlPlaneNamespace is where consumers that belong to the Control Plane look for their Secrets.
	ControlPlaneNamespace string
	// PasswordGeneration is raised to have the passwords of clients made anew.
	PasswordGeneration int
	// Protect has the engine refuse to delete or replace what holds data.
	Protect bool
}

// Surroundings are the ends of flows that no component of ours is.
type Surroundings struct {
	// APIServer is the Kubernetes API server, which calls webhooks and is called on one of APIServerPorts.
	APIServer      flow.Peer
	APIServerPorts []int
	// Monitoring is where Prometheus runs.
	Monitoring flow.Peer
	// MonitoringTrusts says that Prometheus verifies targets with the trust bundle unless they say otherwise.
	MonitoringTrusts bool
}

// ToAPIServer is the flow of pods that work with Kubernetes objects.
func (s Surroundings) ToAPIServer(name string, from flow.Peer, why string) flow.Flow {
	return flow.Flow{Name: name, From: from, To: s.APIServer, Ports: s.APIServerPorts, Why: why}
}

// Webhook is the flow of the API server to what it has to ask.
func (s Surroundings) Webhook(name string, to flow.Peer, port int, why string) flow.Flow {
	return flow.Flow{Name: name, From: s.APIServer, To: to, Ports: []int{port}, Why: why}
}

// Scrape is the flow of Prometheus to metrics.
func (s Surroundings) Scrape(name string, to flow.Peer, ports ...int) flow.Flow {
	return flow.Flow{Name: name, From: s.Monitoring, To: to, Ports: ports, Why: "Prometheus reads metrics."}
}

// Trust is the bundle of certificates that workloads trust: a ConfigMap in each namespace with the label.
type Trust struct {
	// ConfigMap is its name, Key the key in it.
	ConfigMap, Key string
	// Label and LabelValue on a namespace ask for it.
	Label, LabelValue string
}

// NamespaceLabels ask for the trust bundle in a namespace.
func (c Common) NamespaceLabels() map[string]string {
	return map[string]string{c.Trust.Label: c.Trust.LabelValue}
}

// ScrapeTLS has a monitor verify its targets by a name. A Prometheus that does not know the trust bundle reads that of the
// monitor's namespace: by its operator, which passes a new authority on only when something else has changed as well.
func (c Common) ScrapeTLS(serverName string) map[string]any {
	tls := map[string]any{"serverName": serverName}
	if !c.MonitoringTrusts {
		tls["ca"] = map[string]any{"configMap": map[string]any{"name": c.Trust.ConfigMap, "key": c.Trust.Key}}
	}
	return tls
}

// Registrar registers the objects of a part.
func (c Common) Registrar(ctx *pulumi.Context, parent pulumi.Resource) *manifest.Registrar {
	return &manifest.Registrar{Ctx: ctx, Parent: parent, Provider: c.Provider, Transforms: c.Transforms}
}

// Workloads applies to a set what holds for all workloads: they are spread over zones and nodes, restricted, and replicated
// ones have a disruption budget.
func (c Common) Workloads(set manifest.Set, more ...manifest.Transform) (manifest.Set, error) {
	transforms := append([]manifest.Transform{workload.Spread(c.Availability), workload.Restrict()}, more...)
	if err := set.Transform(transforms...); err != nil {
		return manifest.Set{}, err
	}
	return workload.Budgets(set)
}

// Password is a random password of letters and digits: nothing that a URL, a shell or a configuration file would need
// to quote. 32 of them are worth 190 bits.
func (c Common) Password(ctx *pulumi.Context, parent pulumi.Resource, name string) (pulumi.StringOutput, error) {
	p, err := random.NewRandomPassword(ctx, name, &random.RandomPasswordArgs{
		Length: pulumi.Int(32), Special: pulumi.Bool(false),
		Keepers: pulumi.StringMap{"generation": pulumi.String(strconv.Itoa(c.PasswordGeneration))},
	}, pulumi.Parent(parent), pulumi.Provider(c.Random))
	if err != nil {
		return pulumi.StringOutput{}, fmt.Errorf("password %s: %w", name, err)
	}
	return pulumi.ToSecret(p.Result).(pulumi.StringOutput), nil
}

// Digest tells one set of contents and passwords from another, so that what runs once runs again when they change.
// Random passwords of that length cannot be guessed from it, so it is no secret.
func Digest(contents string, passwords ...any) pulumi.Output {
	return pulumi.Unsecret(pulumi.All(passwords...).ApplyT(func(values []any) string {
		sum := sha256.New()
		fmt.Fprintf(sum, "%q", contents)
		for _, value := range values {
			fmt.Fprintf(sum, "%q", value)
		}
		return hex.EncodeToString(sum.Sum(nil)[:16])
	}))
}

// Stateful marks objects that hold data: with Protect the engine refuses to delete or replace them.
func (c Common) Stateful(objects ...*manifest.Object) {
	if !c.Protect {
		return
	}
	for _, o := range objects {
		o.Options = append(o.Options, pulumi.Protect(true))
	}
}

// Volume is the storage of one pod.
type Volume struct {
	// Size is its capacity, such as 10Gi. It can grow later, if the storage class allows it, and never shrink.
	Size string
	// Class is the StorageClass; empty: the cluster's default.
	Class string
}

// ObjectStore is a bucket that backups go to, with the credentials that may write there.
type ObjectStore struct {
	// EndpointURL is the address of an S3 interface that the platform's trust bundle verifies; nil: Amazon S3.
	EndpointURL pulumi.StringInput
	// Region is the bucket's region.
	Region string
	// Bucket is the bucket's name, Path the prefix of everything in it, without slashes at its ends.
	Bucket, Path string
	// Keys are static credentials. Without them, RoleARN is assumed by web identity.
	Keys *Keys
	// RoleARN is the IAM role that the pods assume.
	RoleARN pulumi.StringInput
}

// Keys are static credentials of an S3 interface.
type Keys struct {
	AccessKey, SecretKey pulumi.StringInput
}
