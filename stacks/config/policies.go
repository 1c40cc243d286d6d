package config

// NetworkPolicies configures the ends of connections that are no part of the
// platform.
type NetworkPolicies struct {
	// The API server of Kubernetes, which pods call, and which calls webhooks. Its addresses, if any are given, are those of its endpoints, and those that its calls of webhooks come from; that of the Service `kubernetes` only where the network plugin is the VPC CNI of AWS, whose policies see it.
	APIServer PolicyPeer `json:"apiServer"`
	// The servers that resolve names, which every pod may ask.
	DNS PolicyDNS `json:"dns"`
	// Object storage outside of the cluster, with what hands out credentials for it: Amazon S3 and STS. Backups go there with storage.objectStorage.backend s3.
	ObjectStorage PolicyPeer `json:"objectStorage"`
	// The ACME server of certTrust.acme, which cert-manager calls.
	ACME PolicyPeer `json:"acme"`
	// The namespaces whose pods may use the gateway's database and the cache.
	Gateways NamespaceSelector `json:"gateways"`
	// More connections that pods of the platform may open, such as those of the identity provider to a mail server or a directory.
	Additional []AdditionalFlow `json:"additional,omitempty"`
}

// PolicyPeer is something that pods of the platform connect to.
type PolicyPeer struct {
	// Its addresses.
	CIDRs []string `json:"cidrs,omitempty" jsonschema:"format=cidr,uniqueItems=true,minItems=1,example=10.0.0.1/32" jsonschema_extras:"x-derived=everywhere"`
	// Its ports (TCP).
	Ports []int `json:"ports,omitempty" jsonschema:"minimum=1,maximum=65535,uniqueItems=true,minItems=1" jsonschema_extras:"x-derived=443 and 6443 (apiServer)\\, 443 (objectStorage)\\, that of the URL in certTrust.acme.server (acme)"`
}

// PolicyDNS is what resolves names: pods in the cluster, addresses, or both.
type PolicyDNS struct {
	// Namespace of its pods.
	Namespace string `json:"namespace,omitempty" jsonschema:"format=dns-label,default=kube-system"`
	// Labels of its pods.
	Pods map[string]string `json:"pods,omitempty" jsonschema_extras:"x-derived=k8s-app: kube-dns"`
	// Addresses that resolve names too, such as that of a cache on every node. Leave it empty where there is none.
	CIDRs []string `json:"cidrs,omitempty" jsonschema:"format=cidr,uniqueItems=true" jsonschema_extras:"x-derived=169.254.20.10/32\\, where NodeLocal DNSCache listens"`
	// Ports of the pods and addresses (UDP and TCP). On OpenShift the pods listen on 5353.
	Ports []int `json:"ports,omitempty" jsonschema:"minimum=1,maximum=65535,uniqueItems=true,minItems=1" jsonschema_extras:"x-derived=53"`
}

// NamespaceSelector selects namespaces.
type NamespaceSelector struct {
	// Labels of the namespaces, all of which they must have.
	Labels map[string]string `json:"labels,omitempty" jsonschema_extras:"x-derived=controlplane.io/gateway: enabled"`
}

// AdditionalFlow is a connection that pods of the platform may open.
type AdditionalFlow struct {
	// Name of the connection, which the network policy is named after.
	Name string `json:"name" jsonschema:"required,format=dns-label,example=mail"`
	// Namespace of the pods, one of the platform's own.
	Namespace string `json:"namespace" jsonschema:"required,format=dns-label,example=identity"`
	// Labels of the pods.
	Pods map[string]string `json:"pods,omitempty" jsonschema_extras:"x-derived=all pods of the namespace"`
	// Addresses to connect to.
	CIDRs []string `json:"cidrs,omitempty" jsonschema:"format=cidr,uniqueItems=true,minItems=1,example=192.0.2.25/32" jsonschema_extras:"x-derived=everywhere"`
	// Ports to connect to (TCP). At least one of ports and udpPorts is needed.
	Ports []int `json:"ports,omitempty" jsonschema:"minimum=1,maximum=65535,uniqueItems=true,minItems=1,example=587"`
	// Ports to connect to (UDP).
	UDPPorts []int `json:"udpPorts,omitempty" jsonschema:"minimum=1,maximum=65535,uniqueItems=true,minItems=1"`
	// What the connection is for. It becomes an annotation of the network policy.
	Why string `json:"why" jsonschema:"required,minLength=1,maxLength=255,example=Users get mail when they forget their password."`
}
