// Package portforward makes a port of pods in a cluster reachable on this machine's loopback interface, through the
// Kubernetes API. It is how a run reaches the admin API of Keycloak, which no ingress publishes.
//
// It differs from kubectl's port forwarding where a run would suffer from that: nothing is dialled before the first
// connection, because the pods may not exist yet; a connection waits for a pod to get ready; and when a pod goes or a
// tunnel breaks, the next connection is carried to another pod.
//
// Whose credentials are used needs two permissions in the namespace of the pods, and no others:
//
//	rules:
//	- apiGroups: [""]
//	  resources: [pods]
//	  verbs: [list]
//	- apiGroups: [""]
//	  resources: [pods/portforward]
//	  verbs: [create]
//
// With the verb get on pods/portforward as well, the tunnel is a WebSocket, which more proxies let pass than the SPDY of
// older releases. Where WebSockets are refused, SPDY takes their place.
//
// Whether the rest of an answer arrives after the client has ended its half of a connection is up to the container
// runtime of the node: some end the connection then. HTTP does not need it.
package portforward
