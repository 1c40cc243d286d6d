package handover

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Status is what became of a check.
type Status string

const (
	// OK is a precondition that holds, Failed one that does not.
	OK     Status = "ok"
	Failed Status = "failed"
	// Unknown is one that cannot be seen from here, or with these permissions.
	Unknown Status = "unknown"
)

// Check is a precondition of the Control Plane, and whether it holds.
type Check struct {
	// Name tells the checks apart, What says what has to be.
	Name string `json:"name"`
	What string `json:"what"`
	// Status and Detail are what was found, Mend what to do about it.
	Status Status `json:"status"`
	Detail string `json:"detail,omitempty"`
	Mend   string `json:"mend,omitempty"`
}

// AllHold tells whether no check has failed.
func AllHold(checks []Check) bool {
	for _, c := range checks {
		if c.Status == Failed {
			return false
		}
	}
	return true
}

// requestTimeout is for one request.
const requestTimeout = 15 * time.Second

// inspector looks at a cluster, for a stack with these outputs.
type inspector struct {
	out     *Outputs
	client  kubernetes.Interface
	dynamic dynamic.Interface
	config  *rest.Config
}

// found is the result of a look.
type found struct {
	status Status
	detail string
}

func holds(format string, args ...any) found  { return found{OK, fmt.Sprintf(format, args...)} }
func fails(format string, args ...any) found  { return found{Failed, fmt.Sprintf(format, args...)} }
func unseen(format string, args ...any) found { return found{Unknown, fmt.Sprintf(format, args...)} }

// precondition is a check and how it is looked at.
type precondition struct {
	name, what, mend string
	look             func(context.Context) (found, error)
}

// Inspect looks at a live cluster for everything that the Control Plane wants before its manifests are applied, and changes
// nothing. Values are the stack's outputs, with secret ones in the clear. A cluster that cannot be reached is an error.
func Inspect(ctx context.Context, config *rest.Config, values map[string]any) ([]Check, error) {
	out, err := Read(values)
	if err != nil {
		return nil, err
	}
	config = rest.CopyConfig(config)
	config.Timeout, config.QPS = requestTimeout, -1
	config.WarningHandlerWithContext = rest.NoWarnings{}
	i := &inspector{out: out, config: config}
	if i.client, err = kubernetes.NewForConfig(config); err != nil {
		return nil, fmt.Errorf("connect to the cluster: %w", err)
	}
	if i.dynamic, err = dynamic.NewForConfig(config); err != nil {
		return nil, fmt.Errorf("connect to the cluster: %w", err)
	}
	if _, err := i.client.Discovery().ServerVersion(); err != nil {
		return nil, fmt.Errorf("the cluster at %s cannot be reached: %w", config.Host, err)
	}
	var all []Check
	for _, p := range i.preconditions() {
		c, err := p.check(ctx)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		all = append(all, c)
	}
	return all, nil
}

// check looks, and tells what may not be seen, and what is not there, from what went wrong.
func (p precondition) check(ctx context.Context) (Check, error) {
	c := Check{Name: p.name, What: p.what}
	f, err := p.look(ctx)
	switch {
	case ctx.Err() != nil:
		return c, ctx.Err()
	case apierrors.IsForbidden(err):
		f = unseen("the user of the kubeconfig may not look")
	case err != nil:
		f = fails("%s", err)
	}
	c.Status, c.Detail = f.status, f.detail
	if c.Status != OK {
		c.Mend = p.mend
	}
	return c, nil
}

// up is how to mend what the stack provides.
const up = "Run platform up, which provides it."

func (i *inspector) preconditions() []precondition {
	return slices.Concat(i.surroundings(), i.certificates(), i.metrics(), i.services())
}

// surroundings are what the Control Plane's objects meet in the cluster.
func (i *inspector) surroundings() []precondition {
	return []precondition{
		{
			"ingress-controller", "what serves the default IngressClass honours the annotations of ingress-nginx",
			"Use Traefik 3.6 or newer with its provider for them, as the stack does, or ingress-nginx.", i.ingressController,
		},
		{
			"token-issuer", "the issuer of service account tokens can be asked for its keys",
			"Set --service-account-issuer of the API server to a URL that serves them.", i.tokenIssuer,
		},
		{
			"cluster-domain", "names of Services end with cluster.local",
			"The Control Plane knows no other domain: set that of the cluster.", i.clusterDomain,
		},
		{"namespace", "namespace " + i.out.Namespace + " has the labels that the Control Plane looks for", up, i.namespace},
		{
			"namespaces", "namespaces can be made at run time",
			"Let no quota or admission policy refuse namespaces of environments, zones and teams.", i.namespaces,
		},
	}
}

// certificates are what the Control Plane gets its own with.
func (i *inspector) certificates() []precondition {
	return []precondition{
		{
			"definitions", "each resource definition is there and has one owner",
			"Leave each to one installer, and run platform up.", i.definitions,
		},
		{
			"cert-manager", "cert-manager admits a Certificate in " + i.out.Namespace,
			up + " Otherwise kubectl -n cert-manager get pods shows what is wrong.", i.certManager,
		},
		{"trust-manager", "trust-manager reads from " + i.out.Namespace + " and writes the trust bundle", up, i.trustManager},
		{
			"control-plane-pki", "the Control Plane's own issuers and bundle are its own",
			"Leave them to its manifests: remove them, or set certTrust.controlPlaneIssuer.", i.controlPlanePKI,
		},
	}
}

// metrics of the Control Plane are found by whoever watches the cluster.
func (i *inspector) metrics() []precondition {
	return []precondition{
		{
			"monitoring-namespace", "a namespace that may read metrics has the label metrics=enabled",
			"kubectl label namespace NAME metrics=enabled", i.monitoringNamespace,
		},
		{
			"prometheus-selectors", "a Prometheus selects the ServiceMonitors of all namespaces, whatever their labels",
			"Set serviceMonitorSelector and serviceMonitorNamespaceSelector of the Prometheus to {}.", i.prometheusSelectors,
		},
		{
			"prometheus-tokens", "Prometheus reads the token files that ServiceMonitors name",
			"Set arbitraryFSAccessThroughSMs.deny of the Prometheus to false.", i.prometheusTokens,
		},
		{
			"prometheus-access", "Prometheus may get /metrics",
			"Allow its service account GET on the non-resource URL /metrics.", i.prometheusAccess,
		},
	}
}

// services are the data stores and the identity provider.
func (i *inspector) services() []precondition {
	return []precondition{
		{"trusted-issuers", "servers of the Control Plane know whose tokens they accept", up, i.trustedIssuers},
		{
			"control-plane-database", "Secret " + i.out.ControlPlaneDBSecretName + " leads to the database", up, i.controlPlaneDatabase,
		},
		{
			"gateway-database", "the gateway's database has a server",
			"Look at the pods of the database, and run platform up.", i.gatewayDatabase,
		},
		{"object-storage", "the File Manager has a bucket and a way in", up, i.objectStorage},
		{"redis", "the cache has a server and a password", up, i.redis},
		{"identity-provider", "Iris has servers and an administrator's password", up, i.identityProvider},
	}
}
