package config

// Network configures what gets in, what may talk to what, and the service
// mesh.
type Network struct {
	// How HTTP and HTTPS come in from outside of the cluster.
	Ingress NetworkIngress `json:"ingress"`
	// The Gateway API, which can route requests beside Ingress objects.
	GatewayAPI GatewayAPI `json:"gatewayAPI"`
	// Network policies: in every namespace of the platform what is not declared is denied, in and out. The namespaces of the Control Plane never get any from here.
	Policies NetworkPolicies `json:"policies"`
	// A service mesh, which encrypts what pods say to each other, and has both sides prove who they are.
	Mesh Mesh `json:"mesh"`
}

// IngressController is what serves Ingress objects.
type IngressController string

const (
	// IngressTraefik installs Traefik.
	IngressTraefik IngressController = "traefik"
	// IngressExisting uses a controller that the cluster has already.
	IngressExisting IngressController = "existing"
)

// NetworkIngress configures the ingress controller.
type NetworkIngress struct {
	// What serves Ingress objects: `traefik` installs Traefik; `existing` uses a controller that the cluster has already.
	Controller IngressController `json:"controller,omitempty" jsonschema:"enum=traefik,enum=existing" jsonschema_extras:"x-derived=existing\\, if the key existing is there\\, otherwise traefik"`
	// Traefik. Not allowed with another controller.
	Traefik *Traefik `json:"traefik,omitempty"`
	// The controller that the cluster has already. Not allowed with another controller.
	Existing *ExistingIngress `json:"existing,omitempty"`
}

// ClassName returns the IngressClass of the platform's Ingress objects.
func (i NetworkIngress) ClassName() string {
	switch {
	case i.Existing != nil:
		return i.Existing.ClassName
	case i.Traefik != nil:
		return i.Traefik.ClassName
	}
	return ""
}

// ExistingIngress describes an ingress controller that is not installed here.
// The Control Plane's Ingress objects need one that honours the annotation
// nginx.ingress.kubernetes.io/backend-protocol, and whose class is the
// cluster's default.
type ExistingIngress struct {
	// Name of its IngressClass. The Control Plane's Ingress objects name none, so it must be the cluster's default class, and they have annotations of ingress-nginx, which the controller must honour.
	ClassName string `json:"className,omitempty" jsonschema:"required,format=dns-subdomain,example=nginx"`
	// Namespace in which its pods run. Network policies let them in by it.
	Namespace string `json:"namespace,omitempty" jsonschema:"format=dns-label,example=ingress-nginx" jsonschema_extras:"x-derived=any namespace"`
	// Labels of its pods.
	Pods map[string]string `json:"pods,omitempty" jsonschema_extras:"x-derived=any pod"`
}

// Traefik configures Traefik.
type Traefik struct {
	// Name of the IngressClass. The Gateway API's class has the same.
	ClassName string `json:"className,omitempty" jsonschema:"format=dns-subdomain,default=traefik"`
	// Whether the class is the cluster's default, which the Control Plane's Ingress objects need.
	DefaultClass bool `json:"defaultClass" jsonschema:"default=true"`
	// Image of Traefik 3, from 3.7 on.
	Image string `json:"image,omitempty" jsonschema:"format=image,default=docker.io/library/traefik:v3.7.13"`
	// Replicas of Traefik. At least 2 with availability zonal.
	Replicas int `json:"replicas" jsonschema:"minimum=1,maximum=20" jsonschema_extras:"x-derived=1 (single)\\, 3 (zonal)"`
	// More replicas under load.
	Autoscaling Autoscaling `json:"autoscaling"`
	// The Service, at which requests from outside arrive.
	Service IngressService `json:"service"`
	// The certificate of hosts that have none of their own.
	Certificate IngressCertificate `json:"certificate"`
	// HTTP Strict Transport Security: browsers are told to use HTTPS only.
	HSTS HSTS `json:"hsts"`
	// Addresses of proxies in front of Traefik, such as load balancers, whose word is taken for the client's address (`X-Forwarded-For` and the like, and the PROXY protocol). Nobody else's is.
	TrustedProxies []string `json:"trustedProxies,omitempty" jsonschema:"format=cidr,uniqueItems=true,minItems=1,example=10.0.0.0/16" jsonschema_extras:"x-derived=none"`
	// Whether the trustedProxies speak the PROXY protocol. Needs trustedProxies.
	ProxyProtocol bool `json:"proxyProtocol" jsonschema:"default=false"`
	// Namespaces whose Ingress objects are served; Traefik may then read nothing in the others. The Control Plane makes namespaces at run time, and routes in those are not served as long as they are not listed. Namespaces in the list must exist before Traefik starts.
	Namespaces []string `json:"namespaces,omitempty" jsonschema:"format=dns-label,uniqueItems=true,minItems=1" jsonschema_extras:"x-derived=all"`
	// Whether a ServiceMonitor has Prometheus scrape Traefik.
	ServiceMonitor bool `json:"serviceMonitor" jsonschema:"default=true"`
}

// ServiceType is a type of Service.
type ServiceType string

const (
	// ServiceLoadBalancer has an address outside of the cluster.
	ServiceLoadBalancer ServiceType = "LoadBalancer"
	// ServiceNodePort has a port on every node.
	ServiceNodePort ServiceType = "NodePort"
	// ServiceClusterIP has an address inside the cluster only.
	ServiceClusterIP ServiceType = "ClusterIP"
)

// LoadBalancerKind is a load balancer that wants annotations.
type LoadBalancerKind string

const (
	// LoadBalancerNone asks for no load balancer in particular.
	LoadBalancerNone LoadBalancerKind = "none"
	// LoadBalancerNLB is the Network Load Balancer of AWS, of the AWS Load Balancer Controller.
	LoadBalancerNLB LoadBalancerKind = "nlb"
	// LoadBalancerNLBCloudProvider is that of the cloud provider's own controller, which every EKS has.
	LoadBalancerNLBCloudProvider LoadBalancerKind = "nlb-cloud-provider"
)

// IngressService configures the Service of the ingress controller.
type IngressService struct {
	// Type of the Service: with `LoadBalancer` the cluster's environment provides an address outside; with `NodePort` every node has the ports; with `ClusterIP` something else forwards requests to it.
	Type ServiceType `json:"type,omitempty" jsonschema:"enum=LoadBalancer,enum=NodePort,enum=ClusterIP,default=LoadBalancer"`
	// The load balancer whose annotations the Service gets: `nlb` is a Network Load Balancer of AWS, as the AWS Load Balancer Controller or EKS Auto Mode provides it; `nlb-cloud-provider` is one of the controller that every EKS has; `none` leaves it to the environment and to annotations. Only with type LoadBalancer.
	LoadBalancer LoadBalancerKind `json:"loadBalancer,omitempty" jsonschema:"enum=none,enum=nlb,enum=nlb-cloud-provider" jsonschema_extras:"x-derived=nlb-cloud-provider with cluster.kind eks\\, otherwise none"`
	// Class of the load balancer, where several controllers provide some. Only with type LoadBalancer. It can never change as long as the type stays.
	LoadBalancerClass string `json:"loadBalancerClass,omitempty" jsonschema:"format=qualified-name,example=io.cilium/l2-announcer" jsonschema_extras:"x-derived=the environment's default"`
	// Additional annotations of the Service, for the controller of load balancers.
	Annotations map[string]string `json:"annotations,omitempty"`
	// Addresses that the load balancer lets in. Only with type LoadBalancer.
	SourceRanges []string `json:"sourceRanges,omitempty" jsonschema:"format=cidr,uniqueItems=true,minItems=1,example=203.0.113.0/24" jsonschema_extras:"x-derived=everywhere"`
	// Port of the Service for HTTP, where requests are redirected to HTTPS.
	HTTPPort int `json:"httpPort" jsonschema:"minimum=1,maximum=65535,default=80"`
	// Port of the Service for HTTPS.
	HTTPSPort int `json:"httpsPort" jsonschema:"minimum=1,maximum=65535,default=443"`
	// Ports on every node. Only with type NodePort.
	NodePorts NodePorts `json:"nodePorts"`
}

// NodePorts are ports on every node; 0 has the cluster choose.
type NodePorts struct {
	// Port on every node for HTTP.
	HTTP int `json:"http" jsonschema:"minimum=30000,maximum=32767,example=30080" jsonschema_extras:"x-derived=chosen by the cluster"`
	// Port on every node for HTTPS.
	HTTPS int `json:"https" jsonschema:"minimum=30000,maximum=32767,example=30443" jsonschema_extras:"x-derived=chosen by the cluster"`
}

// IngressCertificate configures the default certificate.
type IngressCertificate struct {
	// Host names of the certificate that hosts without one of their own are served with, such as those of the Control Plane's Ingress objects, which have no TLS section. The issuer is that of certTrust.acme or, without it, the platform CA. A name such as `"*.apps.example.com"`, in quotes, covers every name right below apps.example.com, and cannot be proven by certTrust.acme.http01.
	Hostnames []string `json:"hostnames,omitempty" jsonschema:"format=dns-name-or-wildcard,minItems=1,example=controlplane.example.com" jsonschema_extras:"x-derived=none: the certificate is for names inside the cluster"`
}

// HSTS configures HTTP Strict Transport Security.
type HSTS struct {
	// For how long browsers use HTTPS only; with 0s they are told nothing.
	MaxAge Duration `json:"maxAge" jsonschema:"format=duration-or-zero,default=8760h"`
	// Whether it concerns all names below the host's too, whoever serves them.
	IncludeSubdomains bool `json:"includeSubdomains" jsonschema:"default=false"`
	// Whether browsers may have the host in their lists, which they are shipped with. Needs includeSubdomains, and a maxAge of 8760h or more. It takes months to get off these lists.
	Preload bool `json:"preload" jsonschema:"default=false"`
}

// GatewayAPI configures the Gateway API.
type GatewayAPI struct {
	// Whether the Gateway API is there. Traefik, where it is installed, serves it beside Ingress objects, and a mesh that is installed knows it.
	Enabled bool `json:"enabled" jsonschema:"default=false"`
	// Who owns its custom resource definitions: `install` installs them, of the standard channel; `existing` expects them on the cluster.
	CustomResourceDefinitions CRDPolicy `json:"customResourceDefinitions,omitempty" jsonschema:"enum=install,enum=existing,default=install"`
}
