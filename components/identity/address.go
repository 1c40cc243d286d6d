package identity

import (
	"fmt"

	"github.com/telekom/controlplane-infrastructure/internal/flow"
)

// Port is the servers' port for clients and administrators.
const Port = httpsPort

// PlainPort is that without TLS, which they have with Admin.PlainHTTP only.
const PlainPort = httpPort

// Selector selects the servers' pods.
const Selector = "app.kubernetes.io/name=" + name + ",app.kubernetes.io/component=server"

// Issuer is what a realm's tokens say that they come from.
func Issuer(hostname, realm string) string {
	return "https://" + hostname + relativePath + "/realms/" + realm
}

// InternalIssuer is the address of a realm inside the cluster, with a certificate that the trust bundle verifies. Its
// tokens name the public one.
func InternalIssuer(realm string) string {
	return fmt.Sprintf("https://%s:%d%s/realms/%s", host, httpsPort, relativePath, realm)
}

// Servers are the pods.
func Servers() flow.Peer { return flow.Peer{Namespace: Namespace, Pods: selector()} }
