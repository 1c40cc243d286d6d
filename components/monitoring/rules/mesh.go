package rules

import "slices"

// mesh watches Istio or Linkerd, where there is one.
func mesh(a Args) Group {
	g := Group{Name: Mesh, Namespace: meshNamespaces[a.Mesh]}
	switch a.Mesh {
	case Istio:
		g.Alerts = slices.Concat(meshAlerts("istio-system", "istio-dataplane"), istioAlerts())
	case Linkerd:
		g.Alerts = meshAlerts("linkerd", "linkerd-cni")
	}
	return g
}

// meshNamespaces are where the meshes' control planes run.
var meshNamespaces = map[string]string{Istio: "istio-system", Linkerd: "linkerd"}

// meshAlerts are about the control plane in one namespace and the agents of nodes in another.
func meshAlerts(control, agents string) []Alert {
	return []Alert{
		targetDown("Mesh", "the mesh's control plane", `namespace=~"`+control+"|"+agents+`"`, control),
		{
			Name: "MeshControlPlaneDown", For: "5m", Severity: Critical,
			Expr:    `kube_deployment_status_replicas_available{namespace="` + control + `"} == 0`,
			Summary: `Deployment {{ $labels.deployment }} of the service mesh has no pod that works.`,
			Description: "Pods of the mesh go on for now. New ones do not start or have no way to others, and within a day the " +
				"certificates of all expire: then nothing in the mesh can talk.",
		},
		{
			Name: "MeshNodeAgentMissing", For: "10m", Severity: Warning,
			Expr:        `kube_daemonset_status_number_unavailable{namespace="` + agents + `"} > 0`,
			Summary:     `The mesh's agent {{ $labels.daemonset }} does not work on {{ $value }} nodes.`,
			Description: "Pods of the mesh cannot start there, and with Istio those that run cannot reach others.",
		},
	}
}

func istioAlerts() []Alert {
	return []Alert{
		{
			Name: "MeshConfigurationRejected", For: "10m", Severity: Warning,
			Expr:        `sum by (type) (rate(pilot_total_xds_rejects{namespace="istio-system"}[5m])) > 0`,
			Summary:     `Proxies of the mesh refuse configuration of type {{ $labels.type }} that istiod sends them.`,
			Description: "They go on with what they had before: new policies or destinations have no effect.",
		},
		{
			Name: "MeshAuthorityExpires", For: "15m", Severity: Critical,
			Expr:        `min(citadel_server_root_cert_expiry_timestamp{namespace="istio-system"}) - time() < 7 * 86400`,
			Summary:     `The certificate authority of the mesh expires in {{ $value | humanizeDuration }}.`,
			Description: "When it expires, no pod of the mesh can talk to any other. To replace it takes hours.",
		},
	}
}
