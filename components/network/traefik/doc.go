// Package traefik provides the ingress controller: Traefik, in the namespace ingress.
//
// In order: the namespace with its network policies, the permissions, the IngressClass, the certificate between the
// platform's parts and the part of the configuration that can change at run time; the servers with their Service, with
// what scales, guards and watches them; then the public certificate, and the Gateway if the Gateway API is served.
//
// # What is served
//
// Ingress objects of the class, by Traefik's provider for the annotations of ingress-nginx, which serves objects without
// any annotation just as well. Every Ingress is served on both ports: with HTTPS by the certificate of its TLS section,
// or, if it has none, by one whose names fit, such as the public certificate, and in the end by the platform's. Requests
// by HTTP are redirected, but for the proofs of an ACME server, which must be answered by HTTP. An Ingress leads to the
// pods that its Service has as endpoints, and never to a name outside of the cluster: Services of type ExternalName are
// denied, and so are annotations that hold snippets of configuration, and those that refer to Secrets of another
// namespace. The size of a request's body is not limited, unless an Ingress has it buffered.
//
// The provider verifies the certificate of a backend only when the Ingress asks for it:
//
//	nginx.ingress.kubernetes.io/backend-protocol: HTTPS
//	nginx.ingress.kubernetes.io/proxy-ssl-verify: "on"
//	nginx.ingress.kubernetes.io/proxy-ssl-name: the name in the certificate
//	nginx.ingress.kubernetes.io/proxy-ssl-secret: namespace/name of a Secret of the same namespace, whose ca.crt verifies it
//
// If that Secret has tls.crt and tls.key too, Traefik shows them to the backend as its own certificate.
//
// # Availability
//
// A server is ready when it has read the cluster's objects: until then it would answer requests for every host with 404.
// It does not stop being ready when the API server is away. The routes of the Gateway API are given five seconds, since
// nothing tells when they have been read.
//
// One that ends goes on as before while load balancers and nodes learn that it is no longer an endpoint; then it tells
// whoever still asks that it is ending, and finishes what it does. An update adds a server before it ends one. A load
// balancer of AWS that leads to pods takes minutes for either: there a new server is ready only when it is asked.
//
// New certificates are served without a restart, those of Ingress objects at once, the public and the platform's when
// the kubelet has brought them into the pod, which takes about a minute.
//
// # Releases
//
// The options are those that all releases from 3.7.5 on have. 3.7.13 is newer in how it writes the addresses of Ingress
// objects, of more of them; in options that are not used here (aliasHeadersStrategy, strictTLSOptions); and in how it
// sends a request again to another backend, which is off. Its permissions and its watches are the same.
package traefik
