package config

import (
	"fmt"
	"slices"
	"strings"
)

// checker collects what a schema cannot see: how values relate to each other.
type checker struct {
	cfg *Config
	// given are the dotted paths of what the stack file states itself.
	given    map[string]bool
	reported []fault
	faults   []fault
}

// check reports contradictions between values. Those that hang on a value
// which is already reported are left out.
func (c *Config) check(given map[string]bool, reported []fault) []fault {
	k := &checker{cfg: c, given: given, reported: reported}
	k.cluster()
	k.artifacts()
	k.resources()
	k.certManager()
	k.platformCA()
	k.acme()
	k.bundle()
	k.controlPlaneIssuer()
	k.postgresql()
	k.cache()
	k.managed()
	k.objectStorage()
	k.identity()
	k.network()
	k.monitoring()
	k.uniqueHostnames()
	return k.faults
}

// add reports a problem at a dotted path below the project's namespace. Related
// are the paths of the other places that it hangs on: when one of them is
// reported already, or has an unknown key that may have been meant for another,
// this problem may be no more than a consequence of that one.
func (k *checker) add(path string, value any, message string, related ...string) {
	k.suggest(path, value, message, "", related...)
}

// suggest is add with what was probably meant, if that is known.
func (k *checker) suggest(path string, value any, message, suggestion string, related ...string) {
	if k.isReported(path, false) {
		return
	}
	for _, other := range related {
		if k.isReported(other, true) {
			return
		}
	}
	text := ""
	switch v := value.(type) {
	case nil:
	case string:
		text = quote(v)
	default:
		text = fmt.Sprint(v)
	}
	k.faults = append(k.faults, fault{path: tokens(path), Problem: Problem{Value: text, Message: message, Suggestion: suggestion}})
}

// isReported says whether a reported problem is at the path or above it or, if
// asked for, an unknown key below it.
func (k *checker) isReported(path string, unknownBelow bool) bool {
	keys := tokens(path)
	for _, f := range k.reported {
		if len(f.path) > len(keys) && !(unknownBelow && f.unknownKey) {
			continue
		}
		n := min(len(f.path), len(keys))
		if slices.Equal(f.path[:n], keys[:n]) {
			return true
		}
	}
	return false
}

// isTouched says whether a reported problem is at the path, above it or below.
func (k *checker) isTouched(path string) bool {
	keys := tokens(path)
	return slices.ContainsFunc(k.reported, func(f fault) bool {
		n := min(len(f.path), len(keys))
		return slices.Equal(f.path[:n], keys[:n])
	})
}

func tokens(path string) []string {
	keys := strings.Split(path, ".")
	keys[0] = Namespace + ":" + keys[0]
	return append([]string{"config"}, keys...)
}

func (k *checker) artifacts() {
	const overrides = "artifacts.overrides."
	o := k.cfg.Artifacts.Overrides
	monitoring, gateway, mesh := k.cfg.Monitoring, k.cfg.Network.GatewayAPI, k.cfg.Network.Mesh.Type
	databases := k.cfg.Storage.PostgreSQL.Backend == CloudNativePG
	const none, istio, linkerd, rds = "", "controlplane:network.mesh.type is not istio", "controlplane:network.mesh.type is not linkerd",
		"controlplane:storage.postgresql.backend is not cloudNativePG"
	for _, artifact := range []struct {
		key      string
		override *ArtifactOverride
		used     bool
		// unused says why it is not used, and by is the key that decides it.
		unused, by string
	}{
		{"certManager", o.CertManager, true, none, none},
		{"trustManager", o.TrustManager, true, none, none},
		{"prometheusOperator", o.PrometheusOperator, monitoring.CustomResourceDefinitions != CRDsExisting,
			"controlplane:monitoring.customResourceDefinitions is existing", "monitoring.customResourceDefinitions"},
		{"metricsServer", o.MetricsServer, k.cfg.Cluster.MetricsServer.Install,
			"controlplane:cluster.metricsServer.install is false", "cluster.metricsServer"},
		{"cloudNativePG", o.CloudNativePG, databases, rds, postgresqlPath + ".backend"},
		{"barmanCloud", o.BarmanCloud, databases, rds, postgresqlPath + ".backend"},
		{"gatewayAPI", o.GatewayAPI, gateway.Enabled && gateway.CustomResourceDefinitions != CRDsExisting,
			"controlplane:network.gatewayAPI is not enabled, or its customResourceDefinitions are existing", "network.gatewayAPI"},
		{"istioBase", o.IstioBase, mesh == MeshIstio, istio, "network.mesh.type"},
		{"istiod", o.Istiod, mesh == MeshIstio, istio, "network.mesh.type"},
		{"istioCNI", o.IstioCNI, mesh == MeshIstio, istio, "network.mesh.type"},
		{"ztunnel", o.Ztunnel, mesh == MeshIstio, istio, "network.mesh.type"},
		{"linkerdCRDs", o.LinkerdCRDs, mesh == MeshLinkerd, linkerd, "network.mesh.type"},
		{"linkerdControlPlane", o.LinkerdControlPlane, mesh == MeshLinkerd, linkerd, "network.mesh.type"},
		{"linkerdCNI", o.LinkerdCNI, mesh == MeshLinkerd, linkerd, "network.mesh.type"},
	} {
		k.override(overrides+artifact.key, artifact.override)
		if artifact.override != nil && !artifact.used {
			k.add(overrides+artifact.key, nil, "has no effect; "+artifact.unused+", so that nothing is installed from it", artifact.by)
		}
	}
}

func (k *checker) override(path string, o *ArtifactOverride) {
	if o == nil {
		return
	}
	var sources []string
	if o.Directory != "" {
		sources = append(sources, "directory")
	}
	if o.Repository != "" {
		sources = append(sources, "repository")
	}
	if o.OCI != "" {
		sources = append(sources, "oci")
	}
	if len(sources) == 0 {
		k.add(path, nil, "names no source; must have exactly one of directory, repository, oci", path, path+".directory", path+".repository", path+".oci")
		return
	}
	if len(sources) > 1 {
		k.add(path, nil, fmt.Sprintf("has %s; must have exactly one of directory, repository, oci", strings.Join(sources, " and ")))
		return
	}
	for name, value := range map[string]string{"chart": o.Chart, "version": o.Version} {
		switch {
		case o.Repository != "" && value == "":
			k.add(path+"."+name, nil, "is missing; a Helm repository needs chart and version", path)
		case o.Repository == "" && value != "":
			k.add(path+"."+name, value, "is only allowed with repository, not with "+sources[0])
		}
	}
}

func (k *checker) resources() {
	r := k.cfg.Resources
	for name, class := range map[string]ResourceClass{
		"operator": r.Operator, "apiServer": r.APIServer, "gateway": r.Gateway, "identityProvider": r.IdentityProvider,
	} {
		k.class("resources."+name, class)
	}
}

// class checks that no request is above its limit.
func (k *checker) class(path string, class ResourceClass) {
	for unit, amounts := range map[string][2]Quantity{
		"cpu":    {class.Requests.CPU, class.Limits.CPU},
		"memory": {class.Requests.Memory, class.Limits.Memory},
	} {
		request, limit := amounts[0], amounts[1]
		if request.Cmp(limit) > 0 {
			k.add(path+".requests."+unit, request.String(), fmt.Sprintf("must be at most the limit, which is %q", limit.String()), path+".limits."+unit)
		}
	}
}

// zonalMinimum checks a number that the profile zonal has a minimum for.
func (k *checker) zonalMinimum(path string, n, minimum, maximum int) {
	if k.cfg.Availability == Zonal && n < minimum {
		k.add(path, n, fmt.Sprintf("must be from %d to %d with controlplane:availability zonal", minimum, maximum), "availability")
	}
}
