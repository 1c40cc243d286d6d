package stacks_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/telekom/controlplane-infrastructure/tests/graph"
)

func TestIngress(t *testing.T) {
	const controller, iris = "ingress/traefik", "identity/iris"
	class := func(t *testing.T, g *graph.Graph) any {
		return g.Object(t, "Ingress", iris).Object.Object["spec"].(map[string]any)["ingressClassName"]
	}
	t.Run("the identity provider is served by the stack's own controller", func(t *testing.T) {
		g := graph.Run(t, graph.Configuration{"network": `{"ingress":{"traefik":{"className":"public"}}}`})
		assert.Equal(t, "public", class(t, g))
		g.Object(t, "IngressClass", "public")
		assert.NotContains(t, g.After(g.Object(t, "Deployment", iris)), controller, "neither waits for the other")
		assert.NotContains(t, g.After(g.Object(t, "Deployment", controller)), iris)
	})
	t.Run("a controller that is there already gets what belongs to it, and nothing is installed", func(t *testing.T) {
		g := graph.Run(t, graph.Configuration{"network": `{"ingress":{"existing":{"className":"nginx","namespace":"web"}}}`})
		assert.Equal(t, "nginx", class(t, g))
		assert.Empty(t, g.InNamespace("ingress"))
		assert.Empty(t, g.Objects("IngressClass"))
		from := g.Object(t, "NetworkPolicy", "identity/allow-iris-ingress-ingress").Object.Object["spec"]
		assert.Contains(t, textOf(t, from), `"kubernetes.io/metadata.name":"web"`)
	})
	t.Run("namespaces that are watched by name are there before the controller", func(t *testing.T) {
		g := graph.Run(t, graph.Configuration{"network": `{"ingress":{"traefik":{"namespaces":["identity","controlplane-system"]}}}`})
		for _, r := range append(g.Objects("Role"), g.Object(t, "Deployment", controller)) {
			if namespace := r.Object.GetNamespace(); namespace == "identity" || r.Name == controller {
				assert.Subset(t, g.After(r), []string{"identity", "controlplane-system"}, r.Name)
				assert.NotContains(t, g.After(r), "identity/iris-public-tls", "%s: its proof may need the controller", r.Name)
			}
		}
	})
	t.Run("proofs of host names reach whoever checks them, and whom they are for", func(t *testing.T) {
		policies := func(network, identity, http01 string) (solver, servers, check string) {
			g := graph.Run(t, graph.Configuration{
				"network": network, "identity": `{"hostname":"iris.example.com","ingress":` + identity + `}`,
				"certTrust": `{"acme":{"server":"https://acme.example.com","email":"a@example.com","http01":` + http01 + `}}`,
			})
			for name, text := range map[string]*string{
				"identity/allow-iris-http01-ingress": &solver, "identity/allow-iris-ingress-ingress": &servers,
				"cert-manager/allow-cert-manager-http01-ingress-egress": &check,
			} {
				for _, r := range g.Objects("NetworkPolicy") {
					if r.Name == name {
						*text = textOf(t, r.Object.Object["spec"])
					}
				}
			}
			return solver, servers, check
		}
		const traefik, web, anybody = `"kubernetes.io/metadata.name":"ingress"`, `"kubernetes.io/metadata.name":"web"`, `"namespaceSelector":{}`
		solver, servers, check := policies(`{}`, `{}`, `{}`)
		assert.Contains(t, solver, traefik)
		assert.Contains(t, servers, traefik)
		assert.Contains(t, check, `"port":8000`)

		solver, servers, check = policies(`{"ingress":{"existing":{"className":"nginx","namespace":"web"}}}`, `{}`, `{}`)
		assert.Contains(t, solver, web)
		assert.Contains(t, servers, web)
		assert.Contains(t, check, web, "its pods may listen anywhere")
		assert.NotContains(t, check, `"port":`)

		solver, servers, check = policies(`{}`, `{"className":"internal"}`, `{"ingressClassName":"public"}`)
		assert.Contains(t, solver, anybody, "Traefik does not serve the class")
		assert.Contains(t, servers, anybody)
		assert.Empty(t, check)
	})
	t.Run("a load balancer of AWS", func(t *testing.T) {
		annotations := func(service string) map[string]string {
			g := graph.Run(t, graph.Configuration{"network": `{"ingress":{"traefik":{"service":` + service + `}}}`})
			return g.Object(t, "Service", controller).Object.GetAnnotations()
		}
		const kind, scheme = "service.beta.kubernetes.io/aws-load-balancer-type", "service.beta.kubernetes.io/aws-load-balancer-scheme"
		assert.Empty(t, annotations(`{}`)[kind])
		assert.Equal(t, "external", annotations(`{"loadBalancer":"nlb"}`)[kind])
		assert.Equal(t, "internal", annotations(`{"loadBalancer":"nlb","annotations":{"` + scheme + `":"internal"}}`)[scheme], "the stack's annotations win")
	})
}

// Pods of a mesh start when it works, and the definitions of what is in their namespaces are there before those.
func TestMeshComesFirst(t *testing.T) {
	g := graph.Run(t, graph.Istio)
	policies := g.Objects("PeerAuthentication")
	assert.NotEmpty(t, policies)
	for _, r := range policies {
		assert.Contains(t, g.After(r), "peerauthentications.security.istio.io", r.Name)
	}
	for _, workload := range []string{"identity/iris", "ingress/traefik"} {
		assert.Subset(t, g.After(g.Object(t, "Deployment", workload)), []string{"istio-system/istiod", "istio-dataplane/ztunnel"}, workload)
	}
}
