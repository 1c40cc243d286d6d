// Package identity provides the platform's identity provider: Keycloak, in the namespace identity under the name iris.
//
// In order: the namespace with its network policies, the Secrets and the certificate between the platform's parts; the
// servers, with what scales, guards and watches them; the public entry with its certificate; the Control Plane's list
// of trusted issuers. Realms and clients are not made here but by package realm, through the administration's API.
//
// # The image
//
// Keycloak wants some of its options at build time. The upstream image has been built without them, and the root file
// system is read-only, so two containers run before the server: the first copies the image's build from
// /opt/keycloak/lib/quarkus to a volume, the second one runs "kc.sh build" on it. That takes half a minute on two
// processors. An image in which it has been done already (Optimized) saves that time; it has to be built with
//
//	KC_DB=postgres KC_CACHE=ispn KC_CACHE_STACK=jdbc-ping KC_HTTP_RELATIVE_PATH=/auth
//	KC_HEALTH_ENABLED=true KC_METRICS_ENABLED=true KC_EVENT_METRICS_USER_ENABLED=true
//
// Everything else is decided when the server starts. All options are environment variables: those that a release does
// not know it ignores. Before 26.4 that is the address at which servers hear each other, and pods need private IPv4
// addresses. The servers write to /opt/keycloak/data and /tmp, which are empty at each start, and to the
// database.
//
// # Availability
//
// The servers form a cluster: each enters its address into the table jgroups_ping of the database, and finds the others
// there. They talk to each other on port 7800, with certificates that Keycloak makes and renews itself, and watch each
// other on port 57800. Sessions are in the database, so any server answers any request.
//
// When a server is lost, those that still see most of the servers in the table go on; the others are not ready until the
// entry of the lost one is a minute old. That keeps a network that is cut in two from having two clusters. It takes
// three servers: with two, the one that is left cannot be the majority. So there is one server, or three and more. An
// autoscaler that starts with one makes do with two on its way: the loss of either is a pause of a minute then.
//
// With Autoscaling the autoscaler owns the number of servers: it starts with as many as there are, or with Replicas, and
// an update leaves the number alone.
//
// On an empty database the first servers all begin to create tables. One does, the others may end and be started again.
//
// An update adds a server before it ends one. A server that ends is first no longer an endpoint of the Service, then
// announces that on the connections that it has, then finishes what it does. Servers of two patch releases can work
// side by side; those of two minor or major releases cannot, and need Recreate, which is a pause.
//
// # Addresses
//
// Tokens always carry the public host name, whatever name a client uses. What is not meant for browsers, such as the
// endpoint for tokens, is announced under the name that the client asked for, so that clients inside the cluster stay
// there. The public entry has the paths of realms and of their resources only; the administration has a host name of
// its own or is reachable only inside the cluster: its console by
//
//	kubectl -n identity port-forward service/iris 8443
//
// under https://localhost:8443/auth/admin. A login to the console leads through the public host name, so that one has
// the paths of the realm master, too. A new certificate is served within ten minutes, without a restart.
package identity
