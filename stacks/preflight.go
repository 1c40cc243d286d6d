package stacks

import (
	"maps"
	"slices"

	"github.com/telekom/controlplane-infrastructure/components/cluster/preflight"
	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

// ClusterNeeds are what a stack with this configuration needs of a cluster that something else has made.
func ClusterNeeds(cfg *config.Config) preflight.Needs {
	needs := preflight.Needs{
		StorageClasses: storageClasses(cfg), Manages: manages(cfg),
		MetricsServer:   cfg.Cluster.MetricsServer.Install,
		Autoscalers:     autoscales(cfg),
		NetworkPolicies: true,
		Definitions:     foreignDefinitions(cfg),
		Installs:        ownDefinitions(cfg),
	}
	if cfg.Availability == config.Zonal {
		needs.Zones = 3
	}
	if t := cfg.Network.Ingress.Traefik; t != nil && t.DefaultClass {
		needs.IngressClass = t.ClassName
	}
	if cfg.Storage.ObjectStorage.Backend == config.ObjectsS3 {
		needs.OIDCProviderARN = cfg.Cluster.OIDCProviderARN
	}
	return needs
}

// storageClasses are the classes of all volumes, each once.
func storageClasses(cfg *config.Config) []string {
	classes := map[string]bool{}
	add := func(volumes ...*config.Volume) {
		for _, v := range volumes {
			if v != nil {
				classes[v.StorageClass] = true
			}
		}
	}
	if cfg.Storage.PostgreSQL.Backend != config.DatabasesRDS {
		for _, c := range cfg.Storage.PostgreSQL.Clusters {
			add(c.Volume, c.WALVolume)
		}
	}
	if cfg.Storage.Cache.Backend != config.CacheElastiCache {
		add(cfg.Storage.Cache.Persistence)
	}
	if m := cfg.Storage.ObjectStorage.MinIO; m != nil {
		add(&m.Volume)
	}
	if m := cfg.Monitoring; m.Installed() {
		add(&m.Prometheus.Volume, &m.Alertmanager.Volume)
		if m.ShowsGrafana() {
			add(m.Grafana.Volume)
		}
	}
	return slices.Sorted(maps.Keys(classes))
}

func autoscales(cfg *config.Config) bool {
	traefik := cfg.Network.Ingress.Traefik
	return cfg.Identity.Autoscaling.Enabled || traefik != nil && traefik.Autoscaling.Enabled
}

// foreignDefinitions are of those that others are to have installed the ones that a stack cannot do without.
func foreignDefinitions(cfg *config.Config) (names []string) {
	if cfg.Monitoring.CustomResourceDefinitions == config.CRDsExisting {
		for _, kind := range []string{"podmonitors", "prometheusrules", "servicemonitors"} {
			names = append(names, kind+".monitoring.coreos.com")
		}
	}
	if g := cfg.Network.GatewayAPI; g.Enabled && g.CustomResourceDefinitions == config.CRDsExisting {
		names = append(names, "gateways.gateway.networking.k8s.io", "httproutes.gateway.networking.k8s.io")
	}
	return names
}

// ownDefinitions are one of those of each installation that there can be only one of.
func ownDefinitions(cfg *config.Config) []string {
	names := []string{"bundles.trust.cert-manager.io", "certificates.cert-manager.io"}
	if cfg.Storage.PostgreSQL.Backend != config.DatabasesRDS {
		names = append(names, "clusters.postgresql.cnpg.io")
	}
	if cfg.Monitoring.CustomResourceDefinitions == config.CRDsInstall {
		names = append(names, "prometheuses.monitoring.coreos.com")
	}
	return names
}

// manages are the kinds of objects that are created.
func manages(cfg *config.Config) []preflight.Resource {
	kinds := map[string][]string{
		"":                             {"configmaps", "namespaces", "persistentvolumeclaims", "secrets", "serviceaccounts", "services"},
		"admissionregistration.k8s.io": {"mutatingwebhookconfigurations", "validatingwebhookconfigurations"},
		"apiextensions.k8s.io":         {"customresourcedefinitions"},
		"apps":                         {"daemonsets", "deployments", "statefulsets"},
		"batch":                        {"jobs"},
		"cert-manager.io":              {"certificates", "clusterissuers", "issuers"},
		"monitoring.coreos.com":        {"podmonitors", "prometheusrules", "servicemonitors"},
		"networking.k8s.io":            {"ingresses", "networkpolicies"},
		"policy":                       {"poddisruptionbudgets"},
		"rbac.authorization.k8s.io":    {"clusterrolebindings", "clusterroles", "rolebindings", "roles"},
		"trust.cert-manager.io":        {"bundles"},
	}
	add := func(wanted bool, group string, names ...string) {
		if wanted {
			kinds[group] = append(kinds[group], names...)
		}
	}
	databases := cfg.Storage.PostgreSQL
	onCluster := databases.Backend != config.DatabasesRDS
	add(onCluster, "postgresql.cnpg.io", "clusters", "databases", "poolers", "scheduledbackups")
	add(onCluster && databases.Backup.Enabled, "barmancloud.cnpg.io", "objectstores")
	add(cfg.Monitoring.Installed(), "monitoring.coreos.com", "alertmanagers", "prometheuses", "scrapeconfigs")
	add(cfg.Network.Ingress.Traefik != nil, "networking.k8s.io", "ingressclasses")
	add(autoscales(cfg), "autoscaling", "horizontalpodautoscalers")
	add(cfg.Cluster.MetricsServer.Install, "apiregistration.k8s.io", "apiservices")
	add(cfg.Network.Mesh.Type == config.MeshIstio, "security.istio.io", "authorizationpolicies", "peerauthentications")
	// The Gateway API's definitions come with a policy against going back to older ones.
	add((&stack{cfg: cfg}).installsGatewayAPI(), "admissionregistration.k8s.io",
		"validatingadmissionpolicies", "validatingadmissionpolicybindings")
	var all []preflight.Resource
	for _, group := range slices.Sorted(maps.Keys(kinds)) {
		for _, name := range kinds[group] {
			all = append(all, preflight.Resource{Group: group, Name: name})
		}
	}
	return all
}
