package policy

// Rules are all rules, in the order in which findings are reported.
func Rules() []Rule {
	return []Rule{
		{
			Name:    "pod-security",
			Demands: "Namespaces enforce the Pod Security level `restricted`, and pods comply with it.",
			Why:     "A process that was taken over stays within its container.",
			check:   podSecurity,
		},
		{
			Name:    "resources",
			Demands: "Every container requests CPU and memory, and has a limit for both.",
			Why:     "A node can be planned, and no pod starves the others on it.",
			check:   resourcesSet,
		},
		{
			Name:    "image-tag",
			Demands: "Images name a version or a digest.",
			Why:     "What runs is what was tested, also after a pod has moved to another node.",
			check:   imageTag,
		},
		{
			Name:    "disruption-budget",
			Demands: "Whatever has several replicas has one PodDisruptionBudget, and that lets one pod at a time go.",
			Why:     "Nodes can be drained, and the service goes on while they are.",
			check:   disruptionBudget,
		},
		{
			Name:    "spread",
			Demands: "Whatever has several replicas is spread over zones or kept apart on nodes.",
			Why:     "Replicas that share a node or a zone fail together.",
			check:   spread,
		},
		{
			Name:    "plain-secret",
			Demands: "Passwords, keys and tokens are secret to the engine, and reach pods as references.",
			Why:     "In state, previews, logs and ConfigMaps anybody may read along.",
			check:   plainSecret,
		},
		{
			Name:    "rbac",
			Demands: "Roles name verbs, resources and API groups, and none that lead to more rights.",
			Why:     "Who takes over one component has not taken over the cluster.",
			check:   permissions,
		},
		{
			Name:    "tls",
			Demands: "Every port of a Service, every host of an Ingress and every data store of AWS speaks TLS.",
			Why:     "Nobody on the network reads along or answers in another's name.",
			check:   encrypted,
		},
		{
			Name:    "deletion-protection",
			Demands: "Where a stack protects data, everything with data is protected, and nothing is set to take data along.",
			Why:     "A typing error in the configuration must not cost a database.",
			check:   deletionProtection,
		},
	}
}
