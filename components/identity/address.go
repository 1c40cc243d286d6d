package identity

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
