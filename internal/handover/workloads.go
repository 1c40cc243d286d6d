package handover

import "maps"

// deployment is how the pods of a part run: how many, how large, where, and whom they trust.
func (o *overlay) deployment(p part) {
	labels := map[string]any{partLabel: p.name}
	volumes := []any{map[string]any{"name": trustVolume, "configMap": map[string]any{
		"name": o.out.TrustBundle, "items": []any{map[string]any{"key": o.out.TrustBundleKey, "path": o.out.TrustBundleKey}},
	}}}
	if o.assumesRole(p) {
		volumes = append(volumes, map[string]any{"name": tokenVolume, "projected": map[string]any{"sources": []any{
			map[string]any{"serviceAccountToken": map[string]any{"path": "token", "audience": "sts.amazonaws.com", "expirationSeconds": 3600}},
		}}})
	}
	pod := map[string]any{"volumes": volumes, "containers": []any{o.container(p)}}
	if o.out.zonal() {
		pod["topologySpreadConstraints"] = spread(labels)
	}
	o.patch("Deployment", p.deployment, "deployments/"+p.name+".yaml", map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": p.name},
		"spec": map[string]any{
			"replicas": p.replicas(o.out.zonal()),
			"template": map[string]any{"metadata": map[string]any{"labels": labels}, "spec": pod},
		},
	})
}

// assumesRole tells whether a part comes to the object storage with a role of AWS.
func (o *overlay) assumesRole(p part) bool {
	return p.name == "file-manager" && o.out.S3Endpoint != "" && o.out.S3CredentialsSecretName == ""
}

func (o *overlay) container(p part) map[string]any {
	class := o.out.ResourceClasses[p.class]
	environment := []any{map[string]any{"name": "SSL_CERT_DIR", "value": certDirs}}
	if p.name == "controlplane-api" {
		// Releases differ in the ConfigMap that it reads, and some make it themselves.
		environment = append(environment, map[string]any{"name": trustedIssuers, "value": o.out.TrustedIssuers})
	}
	if p.name == "file-manager" && o.out.S3CredentialsSecretName != "" {
		environment = append(environment,
			fromSecret("MINIO_ROOT_USER", o.out.S3CredentialsSecretName, "accessKey"),
			fromSecret("MINIO_ROOT_PASSWORD", o.out.S3CredentialsSecretName, "secretKey"))
	}
	mounts := []any{map[string]any{"name": trustVolume, "mountPath": trustPath, "readOnly": true}}
	if o.assumesRole(p) {
		mounts = append(mounts, map[string]any{"name": tokenVolume, "mountPath": tokenPath, "readOnly": true})
	}
	return map[string]any{
		"name": p.container, "env": environment, "volumeMounts": mounts,
		"resources": map[string]any{"requests": class.Requests, "limits": class.Limits},
	}
}

func fromSecret(variable, secret, key string) map[string]any {
	return map[string]any{"name": variable, "valueFrom": map[string]any{
		"secretKeyRef": map[string]any{"name": secret, "key": key},
	}}
}

// spread places the replicas as the platform's own are: zones are binding, nodes a preference, and each revision counts
// for itself.
func spread(labels map[string]any) []any {
	over := func(topology, otherwise string) map[string]any {
		return map[string]any{
			"maxSkew": 1, "topologyKey": topology, "whenUnsatisfiable": otherwise, "nodeTaintsPolicy": "Honor",
			"labelSelector": map[string]any{"matchLabels": labels}, "matchLabelKeys": []any{"pod-template-hash"},
		}
	}
	return []any{over("topology.kubernetes.io/zone", "DoNotSchedule"), over("kubernetes.io/hostname", "ScheduleAnyway")}
}

// budgets let one pod of each replicated part go at a time.
func (o *overlay) budgets() {
	var all []any
	for _, p := range o.opt.used() {
		if p.replicas(o.out.zonal()) < 2 {
			continue
		}
		all = append(all, object("policy/v1", "PodDisruptionBudget", p.name, "A drained node takes one replica at a time.", map[string]any{
			"maxUnavailable": 1, "unhealthyPodEvictionPolicy": "AlwaysAllow",
			"selector": map[string]any{"matchLabels": map[string]any{partLabel: p.name}},
		}))
	}
	o.resources("budgets.yaml", all)
}

// resources are objects of the overlay's own.
func (o *overlay) resources(name string, objects []any) {
	if len(objects) == 0 {
		return
	}
	o.add(name, objects...)
	o.kust.Resources = append(o.kust.Resources, name)
}

func object(apiVersion, kind, name, why string, spec map[string]any) map[string]any {
	return map[string]any{
		"apiVersion": apiVersion, "kind": kind, "spec": spec,
		"metadata": map[string]any{
			"name": "platform-" + name, "annotations": map[string]any{"controlplane.io/why": why},
			"labels": map[string]any{"app.kubernetes.io/part-of": "controlplane-handover"},
		},
	}
}

// tunnels are the ports where pods of a mesh accept what comes through it, whatever port it is meant for: network
// policies judge the tunnel.
var tunnels = map[string]int{"istio": 15008, "linkerd": 4143}

// probes is whom the kubelet's probes seem to come from in Istio's ambient mesh.
var probes = []string{"169.254.7.127/32", "fd16:9254:7127:1337:ffff:ffff:ffff:ffff/128"}

// networkPolicies add to the Control Plane's own what they do not know: the platform's ingress controller, and its mesh.
// They select only pods that those isolate anyway, since a policy closes what it does not allow.
func (o *overlay) networkPolicies() {
	var all []any
	tunnel, meshed := tunnels[o.out.Mesh]
	for _, p := range o.opt.used() {
		if !p.isolated {
			continue
		}
		if p.ingress != "" {
			ports := []any{port(8443)}
			if meshed {
				ports = append(ports, port(tunnel))
			}
			all = append(all, admit(p, "ingress", "Requests from outside come through the ingress controller.",
				map[string]any{"from": []any{o.ingressController()}, "ports": ports}))
		}
		if !meshed {
			continue
		}
		rules := []map[string]any{{"from": []any{
			namespaces(map[string]any{"cp.ei.telekom.de/" + p.name: "enabled"}), namespaces(map[string]any{"metrics": "enabled"}),
		}, "ports": []any{port(tunnel)}}}
		if o.out.Mesh == "istio" {
			var from []any
			for _, cidr := range probes {
				from = append(from, map[string]any{"ipBlock": map[string]any{"cidr": cidr}})
			}
			rules = append(rules, map[string]any{"from": from})
		}
		all = append(all, admit(p, "mesh", "What comes through the mesh arrives at the port of its tunnel.", rules...))
	}
	o.resources("network-policies.yaml", all)
}

func (o *overlay) ingressController() map[string]any {
	labels := map[string]any{}
	if o.out.IngressNamespace != "" {
		labels["kubernetes.io/metadata.name"] = o.out.IngressNamespace
	}
	return namespaces(labels)
}

func namespaces(labels map[string]any) map[string]any {
	selector := map[string]any{}
	if len(labels) > 0 {
		selector["matchLabels"] = maps.Clone(labels)
	}
	return map[string]any{"namespaceSelector": selector}
}

func port(number int) map[string]any { return map[string]any{"port": number, "protocol": "TCP"} }

// admit lets callers reach the pods of a part.
func admit(p part, what, why string, rules ...map[string]any) map[string]any {
	return object("networking.k8s.io/v1", "NetworkPolicy", p.name+"-"+what, why, map[string]any{
		"podSelector": map[string]any{"matchLabels": map[string]any{partLabel: p.name}},
		"policyTypes": []any{"Ingress"}, "ingress": rules,
	})
}
