package config_test

const meshable = "controlplane-system, identity, ingress, minio, monitoring, postgresql, valkey"

// mesh is a service mesh with the given keys.
func mesh(keys string) string { return "network: {mesh: {" + keys + "}}" }

var badMesh = []badConfiguration{
	{"unknown mesh", mesh("type: itsio"), []string{
		`controlplane:network.mesh.type: "itsio" must be one of none, istio, linkerd; did you mean "istio"?`}},
	{"another mesh", mesh("type: consul"), []string{
		`controlplane:network.mesh.type: "consul" must be one of none, istio, linkerd`}},
	{"unknown mesh with its settings", mesh("type: linkrd, namespaces: [identity], linkerd: {}"), []string{
		`controlplane:network.mesh.type: "linkrd" must be one of none, istio, linkerd; did you mean "linkerd"?`}},
	{"settings without a mesh", mesh("istio: {}, linkerd: {version: 2026.9.1}, namespaces: [identity]"), []string{
		"controlplane:network.mesh.istio: is only allowed with type istio; type is none",
		"controlplane:network.mesh.linkerd: is only allowed with type linkerd; type is none",
		"controlplane:network.mesh.namespaces: is only allowed with type istio or linkerd; type is none"}},
	{"settings of Istio for Linkerd", mesh("type: linkerd, istio: {version: 1.31.1}"), []string{
		"controlplane:network.mesh.istio: is only allowed with type istio; type is linkerd"}},
	{"settings of Linkerd for Istio", mesh("type: istio, linkerd: {}"), []string{
		"controlplane:network.mesh.linkerd: is only allowed with type linkerd; type is istio"}},
	{"nobody takes part", mesh("type: istio, namespaces: []"), []string{
		"controlplane:network.mesh.namespaces: must be a list, not empty, each item 1 to 63 lower-case letters, digits and -, with a letter or digit first and last"}},
	{"namespace of others", mesh("type: istio, namespaces: [identity, shop]"), []string{
		`controlplane:network.mesh.namespaces[1]: "shop" cannot take part in the mesh; must be one of ` + meshable}},
	{"misspelt namespace", mesh("type: linkerd, namespaces: [postgres]"), []string{
		`controlplane:network.mesh.namespaces[0]: "postgres" cannot take part in the mesh; must be one of ` + meshable + `; did you mean "postgresql"?`}},
	{"namespace twice", mesh("type: linkerd, namespaces: [identity, ingress, identity]"), []string{
		`controlplane:network.mesh.namespaces[2]: "identity" is in the list already; must be in it once`}},
	{"namespaces that stay outside", mesh("type: istio, namespaces: [cert-manager, cnpg-system, istio-system, linkerd, node-exporter]"), []string{
		`controlplane:network.mesh.namespaces[0]: "cert-manager" cannot take part in the mesh; must be one of ` + meshable,
		`controlplane:network.mesh.namespaces[1]: "cnpg-system" cannot take part in the mesh; must be one of ` + meshable,
		`controlplane:network.mesh.namespaces[2]: "istio-system" cannot take part in the mesh; must be one of ` + meshable,
		`controlplane:network.mesh.namespaces[3]: "linkerd" cannot take part in the mesh; must be one of ` + meshable,
		`controlplane:network.mesh.namespaces[4]: "node-exporter" cannot take part in the mesh; must be one of ` + meshable}},
	{"namespace of a monitoring that somebody else owns", "monitoring: {stack: existing}\n" + mesh("type: istio, namespaces: [monitoring]"), []string{
		`controlplane:network.mesh.namespaces[0]: "monitoring" cannot take part in the mesh; must be one of controlplane-system, identity, ingress, minio, postgresql, valkey`}},
	{"namespace of Traefik where there is none", "network: {ingress: {existing: {className: nginx}}, mesh: {type: istio, namespaces: [ingress]}}", []string{
		`controlplane:network.mesh.namespaces[0]: "ingress" cannot take part in the mesh; must be one of controlplane-system, identity, minio, monitoring, postgresql, valkey`}},
	{"version of other charts", mesh("type: istio, istio: {version: 1.30.4}"), []string{
		`controlplane:network.mesh.istio.version: "1.30.4" must be a version of Istio 1.31, which the charts are of; another one needs its charts too, by controlplane:artifacts.overrides (istioBase, istiod, istioCNI, ztunnel)`}},
	{"version with a letter", mesh("type: istio, istio: {version: v1.31.1}"), []string{
		`controlplane:network.mesh.istio.version: "v1.31.1" must be an exact version without v, such as 1.2.3`}},
	{"version of a stable Linkerd", mesh("type: linkerd, linkerd: {version: stable-2.14.10}"), []string{
		`controlplane:network.mesh.linkerd.version: "stable-2.14.10" must be an exact version without v, such as 1.2.3`}},
	{"chart's version with a letter", mesh("type: linkerd, linkerd: {version: v2026.9.1}"), []string{
		`controlplane:network.mesh.linkerd.version: "v2026.9.1" must be an exact version without v, such as 1.2.3`}},
	{"unknown platform", mesh("type: istio, istio: {platform: OpenShift}"), []string{
		`controlplane:network.mesh.istio.platform: "OpenShift" must be one of gke, k3d, k3s, microk8s, minikube, openshift; did you mean "openshift"?`}},
	{"hub with a scheme", mesh("type: istio, istio: {hub: 'https://docker.io/istio'}"), []string{
		`controlplane:network.mesh.istio.hub: "https://docker.io/istio" ` + mirror}},
	{"charts of a mesh that is not installed", "artifacts: {overrides: {istiod: {directory: a}, linkerdCNI: {directory: b}}}\n" + mesh("type: istio, istio: {version: 1.30.4}"), []string{
		"controlplane:artifacts.overrides.linkerdCNI: has no effect; controlplane:network.mesh.type is not linkerd, so that nothing is installed from it"}},
	{"charts without a mesh", "artifacts: {overrides: {istioBase: {directory: a}, istioCNI: {directory: a}, ztunnel: {directory: a}, linkerdCRDs: {directory: a}, linkerdControlPlane: {directory: a}}}", []string{
		"controlplane:artifacts.overrides.istioBase: has no effect; controlplane:network.mesh.type is not istio, so that nothing is installed from it",
		"controlplane:artifacts.overrides.istioCNI: has no effect; controlplane:network.mesh.type is not istio, so that nothing is installed from it",
		"controlplane:artifacts.overrides.linkerdCRDs: has no effect; controlplane:network.mesh.type is not linkerd, so that nothing is installed from it",
		"controlplane:artifacts.overrides.linkerdControlPlane: has no effect; controlplane:network.mesh.type is not linkerd, so that nothing is installed from it",
		"controlplane:artifacts.overrides.ztunnel: has no effect; controlplane:network.mesh.type is not istio, so that nothing is installed from it"}},
}
