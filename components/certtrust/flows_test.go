package certtrust_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/telekom/controlplane-infrastructure/components/certtrust"
	"github.com/telekom/controlplane-infrastructure/internal/artifact"
	"github.com/telekom/controlplane-infrastructure/internal/artifact/artifacttest"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/flows"
	"github.com/telekom/controlplane-infrastructure/tests/process"
)

// arguments are those of a component with all that it can have.
func arguments(t *testing.T) certtrust.Args {
	t.Helper()
	chart := func(project string) *artifact.Tree {
		return artifacttest.Fetch(t, "github.com/cert-manager/"+project, "deploy/charts/"+project)
	}
	return certtrust.Args{
		Surroundings: flows.Surroundings, Availability: workload.Zonal,
		CertManager: certtrust.CertManager{
			Chart: chart("cert-manager"), ControllerReplicas: 2, WebhookReplicas: 3, CAInjectorReplicas: 2, ServiceMonitor: true,
		},
		TrustManager: certtrust.TrustManager{Chart: chart("trust-manager"), Replicas: 2, ServiceMonitor: true},
		CA:           certtrust.CA{SelfSigned: &certtrust.SelfSigned{CommonName: "Root"}},
		ACME:         http01(),
		Bundle:       certtrust.Bundle{Name: "trust", Key: "ca.crt", PublicRoots: true},
	}
}

func http01() *certtrust.ACME {
	return &certtrust.ACME{
		Server: "https://acme.example.com", ServerPeer: flow.Peer{CIDRs: []string{"192.0.2.0/24"}}, ServerPorts: []int{443},
		IngressClassName: "traefik", Ingress: flow.Peer{Namespace: "ingress"}, IngressPorts: []int{8000, 8443},
	}
}

// recorder remembers the Kubernetes objects that are registered.
type recorder struct {
	mutex   sync.Mutex
	objects []*unstructured.Unstructured
}

func (r *recorder) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	if _, found := args.Inputs["kind"]; !found {
		return args.Name, args.Inputs, nil
	}
	plain, err := plugin.MarshalProperties(args.Inputs, plugin.MarshalOptions{})
	if err != nil {
		return "", nil, err
	}
	data, err := json.Marshal(plain.AsMap())
	if err != nil {
		return "", nil, err
	}
	o := &unstructured.Unstructured{}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.objects = append(r.objects, o)
	return args.Name, args.Inputs, o.UnmarshalJSON(data)
}

func (r *recorder) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) { return nil, nil }

// Whoever has to be reached is, and the Control Plane's namespace stays open.
func TestFlows(t *testing.T) {
	args := arguments(t)
	declared := args.Flows()
	args.Namespaces.Flows.Flows = declared
	r := &recorder{}
	require.NoError(t, pulumi.RunErr(func(ctx *pulumi.Context) error {
		common, err := process.Common(ctx, workload.Zonal)
		if err != nil {
			return err
		}
		args.Provider, args.Classes = common.Provider, common.Classes
		_, err = certtrust.New(ctx, "cert-trust", args)
		return err
	}, pulumi.WithMocks("controlplane", "test", r)))
	flows.Check(t, declared, r.objects)
	for _, o := range r.objects {
		if o.GetKind() == "NetworkPolicy" {
			assert.Equal(t, certtrust.Namespace, o.GetNamespace(), "the Control Plane has its own")
		}
	}
}

// What leaves the cluster follows from how challenges are answered.
func TestFlowsOfACME(t *testing.T) {
	const acme = "cert-manager-acme 192.0.2.0/24 [443] []"
	for name, c := range map[string]struct {
		issuer  *certtrust.ACME
		servers []string
		want    []string
	}{
		"none":    {issuer: nil},
		"HTTP-01": {http01(), nil, []string{acme, "cert-manager-http01 everywhere [80 443] []", "cert-manager-http01-ingress ingress [8000 8443] []"}},
		"HTTP-01 by a controller on ports of its own": {existing(flow.Peer{Namespace: "web"}), nil, []string{
			acme, "cert-manager-http01 everywhere [80 443] []", "cert-manager-http01-ingress web [] []",
		}},
		"HTTP-01 by a controller anywhere": {existing(flow.Peer{}), nil, []string{acme, "cert-manager-http01 everywhere [80 443] []"}},
		"DNS-01": {route53(), nil, []string{
			acme, "cert-manager-dns01 everywhere [53] [53]", "cert-manager-route53 everywhere [443] []",
		}},
		"DNS-01 with name servers": {route53(), []string{"1.1.1.1:53", "[2606:4700::1111]:5353"}, []string{
			acme, "cert-manager-dns01 1.1.1.1/32,2606:4700::1111/128 [53 5353] [53 5353]", "cert-manager-route53 everywhere [443] []",
		}},
		"DNS-01 with a name server by name": {route53(), []string{"dns.example.com:53"}, []string{
			acme, "cert-manager-dns01 everywhere [53] [53]", "cert-manager-route53 everywhere [443] []",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			args := certtrust.Args{ACME: c.issuer, CertManager: certtrust.CertManager{RecursiveNameservers: c.servers}}
			args.APIServer = flow.Peer{Name: "API server"}
			assert.Equal(t, c.want, leaving(args.Flows()))
		})
	}
}

// existing is HTTP-01 by an ingress controller of others.
func existing(controller flow.Peer) *certtrust.ACME {
	a := http01()
	a.IngressClassName, a.Ingress, a.IngressPorts = "nginx", controller, nil
	return a
}

func route53() *certtrust.ACME {
	a := http01()
	a.IngressClassName, a.Ingress, a.IngressPorts = "", flow.Peer{}, nil
	a.Route53 = &certtrust.Route53{Region: "eu-central-1", HostedZoneID: "Z1"}
	return a
}

// leaving are the flows of cert-manager's controller, as name, whereto, TCP ports and UDP ports.
func leaving(declared []flow.Flow) []string {
	var all []string
	for _, f := range declared {
		if f.From.Pods["app.kubernetes.io/component"] != "controller" {
			continue
		}
		to := f.To.Namespace + strings.Join(f.To.CIDRs, ",")
		if f.To.Everywhere {
			to = "everywhere"
		}
		all = append(all, fmt.Sprintf("%s %s %v %v", f.Name, to, f.Ports, f.UDPPorts))
	}
	return all
}
