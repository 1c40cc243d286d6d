package config

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"
)

const ingressPath = "network.ingress"

func (k *checker) network() {
	k.ingress()
	k.gatewayAPI()
	k.policies()
	k.mesh()
}

func (k *checker) ingress() {
	i := k.cfg.Network.Ingress
	switch {
	case i.Existing != nil && i.Controller == IngressTraefik:
		k.add(ingressPath+".existing", nil, "is only allowed with controller existing; controller is traefik", ingressPath+".controller")
	case i.Existing != nil && i.Traefik != nil:
		k.add(ingressPath, nil, "has traefik and existing, so that two controllers would own Ingress objects; must have exactly one of them", ingressPath+".controller")
	case i.Traefik != nil && i.Controller == IngressExisting:
		k.add(ingressPath+".traefik", nil, "is only allowed with controller traefik; controller is existing", ingressPath+".controller")
	}
	if i.Existing == nil && i.Controller == IngressExisting {
		k.add(ingressPath+".existing", nil, "is missing; controller existing needs existing.className, the name of its IngressClass", ingressPath)
	}
	if i.Existing != nil {
		k.labels(ingressPath+".existing.pods", i.Existing.Pods)
	}
	if i.Traefik != nil {
		k.traefik(ingressPath+".traefik", i.Traefik)
	}
}

func (k *checker) traefik(path string, t *Traefik) {
	k.zonalMinimum(path+".replicas", t.Replicas, 2, 20)
	k.autoscaling(path, t.Replicas, t.Autoscaling)
	k.traefikImage(path+".image", t.Image)
	k.ingressService(path+".service", t.Service)
	k.ingressCertificate(path+".certificate", t.Certificate)
	k.hsts(path+".hsts", t.HSTS)
	for i, cidr := range t.TrustedProxies {
		if prefix, err := netip.ParsePrefix(cidr); err == nil && prefix.Bits() == 0 {
			k.add(fmt.Sprintf("%s.trustedProxies.%d", path, i), cidr, "is every address, so that every client could claim any address as its own; must be those of proxies only")
		}
	}
	if t.ProxyProtocol && len(t.TrustedProxies) == 0 && !k.isTouched(path+".trustedProxies") {
		k.add(path+".proxyProtocol", true, "needs trustedProxies, the addresses of those who speak the PROXY protocol; must be false without them", path)
	}
	k.watched(path+".namespaces", t)
}

// autoscaling checks the numbers of replicas at a path with both.
func (k *checker) autoscaling(path string, replicas int, a Autoscaling) {
	if a.Enabled && a.MaxReplicas <= replicas {
		k.add(path+".autoscaling.maxReplicas", a.MaxReplicas, fmt.Sprintf("must be more than %s.replicas, which are %d", path, replicas), path+".replicas")
	}
}

const (
	// traefikMajor is the major version of Traefik that the settings are of.
	traefikMajor = 3
	// oldestTraefik is the first minor version that knows them all.
	oldestTraefik = 7
)

var leadingMajor = regexp.MustCompile(`^v?([0-9]+)($|[^0-9])`)

// traefikImage refuses tags that say another version. Only those of images
// named traefik do; what others are called after is their own business.
func (k *checker) traefikImage(path, image string) {
	repository, tag := splitImage(image)
	major := leadingMajor.FindStringSubmatch(tag)
	if !strings.HasSuffix(repository, "/traefik") || major == nil {
		return
	}
	version, err := majorMinor(minor(taggedVersion(image)))
	switch {
	case major[1] != strconv.Itoa(traefikMajor):
		k.add(path, image, "must have a tag of Traefik 3, such as v3.7.13: no other major version is supported")
	case err == nil && version[1] < oldestTraefik:
		k.add(path, image, "must be of Traefik 3.7 or newer: older versions lack settings that are needed")
	}
}

func (k *checker) ingressService(path string, s IngressService) {
	for _, only := range []struct {
		key   string
		set   bool
		value any
		with  ServiceType
	}{
		{"loadBalancer", s.LoadBalancer != LoadBalancerNone, string(s.LoadBalancer), ServiceLoadBalancer},
		{"loadBalancerClass", s.LoadBalancerClass != "", s.LoadBalancerClass, ServiceLoadBalancer},
		{"sourceRanges", len(s.SourceRanges) > 0, nil, ServiceLoadBalancer},
		{"nodePorts.http", s.NodePorts.HTTP != 0, s.NodePorts.HTTP, ServiceNodePort},
		{"nodePorts.https", s.NodePorts.HTTPS != 0, s.NodePorts.HTTPS, ServiceNodePort},
	} {
		if only.set && s.Type != only.with {
			k.add(path+"."+only.key, only.value, fmt.Sprintf("is only allowed with type %s; type is %s", only.with, s.Type), path+".type")
		}
	}
	if s.LoadBalancer == LoadBalancerNLBCloudProvider && s.LoadBalancerClass != "" {
		k.add(path+".loadBalancerClass", s.LoadBalancerClass, "has another controller make the load balancer than nlb-cloud-provider, which has no class; must be left out, or loadBalancer be none or nlb", path+".loadBalancer")
	}
	if s.HTTPPort == s.HTTPSPort {
		k.add(path+".httpsPort", s.HTTPSPort, "is the port of httpPort; must be another one", path+".httpPort")
	}
	if p := s.NodePorts; p.HTTP != 0 && p.HTTP == p.HTTPS {
		k.add(path+".nodePorts.https", p.HTTPS, "is the port of nodePorts.http; must be another one", path+".nodePorts.http")
	}
	k.annotations(path+".annotations", s.Annotations)
}

func (k *checker) ingressCertificate(path string, c IngressCertificate) {
	acme := k.cfg.CertTrust.ACME
	if acme == nil || acme.HTTP01 == nil {
		return
	}
	for i, name := range c.Hostnames {
		if strings.HasPrefix(name, "*.") {
			k.add(fmt.Sprintf("%s.hostnames.%d", path, i), name, "cannot be proven by controlplane:certTrust.acme.http01, which asks each name for an answer; must be names without *, or certTrust.acme have route53 instead", "certTrust.acme")
		}
	}
}

func (k *checker) hsts(path string, h HSTS) {
	const year = 8760 * time.Hour
	age := h.MaxAge.Std()
	if h.IncludeSubdomains && age == 0 {
		k.add(path+".includeSubdomains", true, "has no effect with maxAge 0s; must be false, or maxAge more", path+".maxAge")
	}
	if !h.Preload {
		return
	}
	if !h.IncludeSubdomains {
		k.add(path+".preload", true, "needs includeSubdomains, without which browsers take no host into their lists; must be false without it", path+".includeSubdomains")
	}
	if age < year {
		k.add(path+".preload", true, fmt.Sprintf("needs a maxAge of 8760h or more, which is %q; must be false with less", short(age)), path+".maxAge")
	}
}

// watched checks that Traefik serves the platform's own routes.
func (k *checker) watched(path string, t *Traefik) {
	if len(t.Namespaces) == 0 {
		return
	}
	if k.cfg.Identity.Ingress.ClassName == t.ClassName && !slices.Contains(t.Namespaces, NamespaceIdentity) {
		k.add(path, nil, "has no identity, the namespace of the identity provider, whose Ingress objects are of the class "+t.ClassName+"; must have it", "identity.ingress")
	}
	if m := k.cfg.Monitoring; m.ShowsGrafana() && m.Grafana.Hostname != "" && m.Grafana.Ingress.ClassName == t.ClassName && !slices.Contains(t.Namespaces, NamespaceMonitoring) {
		k.add(path, nil, "has no monitoring, the namespace of Grafana, whose Ingress object is of the class "+t.ClassName+"; must have it", "monitoring.grafana")
	}
	if k.cfg.Network.GatewayAPI.Enabled && !slices.Contains(t.Namespaces, NamespaceIngress) {
		k.add(path, nil, "has no ingress, the namespace of the Gateway; must have it with controlplane:network.gatewayAPI.enabled", "network.gatewayAPI")
	}
	if acme := k.cfg.CertTrust.ACME; acme != nil && acme.HTTP01 != nil && len(t.Certificate.Hostnames) > 0 && !slices.Contains(t.Namespaces, NamespaceIngress) {
		k.add(path, nil, "has no ingress, the namespace in which controlplane:certTrust.acme.http01 answers for the default certificate; must have it", "certTrust.acme", ingressPath+".traefik.certificate")
	}
}

func (k *checker) gatewayAPI() {
	n := k.cfg.Network
	if n.GatewayAPI.Enabled && n.GatewayAPI.CustomResourceDefinitions == CRDsExisting && n.Ingress.Controller == IngressExisting && n.Mesh.Type == MeshNone {
		k.add("network.gatewayAPI.enabled", true, "has no effect; its definitions and the ingress controller are there already, and no mesh is installed; must be false",
			"network.gatewayAPI", ingressPath, "network.mesh.type")
	}
}

// annotations checks their names.
func (k *checker) annotations(path string, annotations map[string]string) {
	for _, key := range sortedKeys(annotations) {
		if len(validation.IsQualifiedName(strings.ToLower(key))) > 0 {
			k.add(path, key, "is no name of an annotation; must be a name with an optional DNS name before it, such as nginx.ingress.kubernetes.io/proxy-body-size")
		}
	}
}

// labels checks names and values of labels that select something.
func (k *checker) labels(path string, labels map[string]string) {
	for _, key := range sortedKeys(labels) {
		if !isQualifiedName(key) || len(validation.IsValidLabelValue(labels[key])) > 0 {
			k.add(path, key+": "+labels[key], "is no label; must be a name of up to 63 letters, digits, -, _ and . with an optional DNS name and / before it, and a value of the same kind, or an empty one")
		}
	}
}
