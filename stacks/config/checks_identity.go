package config

import (
	"fmt"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
)

const (
	// upstreamImage is what Keycloak's project publishes.
	upstreamImage = "quay.io/keycloak/keycloak"
	// supportedMajor is the major version of Keycloak that the settings are of.
	supportedMajor = "26"
	// oldestMinor is the first minor version whose servers talk to each other with TLS unasked. Source: the Keycloak
	// upgrading guide, 26.2.0, "Zero-configuration secure cluster communication".
	oldestMinor = 2
	// irisDatabase is the identity provider's database where no other is named.
	irisDatabase = "iris"
)

func (k *checker) identity() {
	const path = "identity"
	i := k.cfg.Identity
	if i.Hostname == "" {
		k.add(path+".hostname", nil, "is missing; must be a DNS name without scheme, port and path, such as iris.example.com", path)
	}
	k.keycloak(path, i)
	k.zonalMinimum(path+".replicas", i.Replicas, 3, 9)
	// Of two servers the one that is left cannot tell a lost server from a cut network, and stops serving for a minute.
	if i.Replicas == 2 && k.cfg.Availability != Zonal {
		k.add(path+".replicas", i.Replicas, "must be 1, or from 3 to 9: when one of two servers is lost, the other cannot know that it is not cut off itself, and stops serving for a minute")
	}
	k.autoscaling(path, i.Replicas, i.Autoscaling)
	k.identityDatabase(path+".database", i.Database)
	k.annotations(path+".ingress.annotations", i.Ingress.Annotations)
	k.adminAPI(path+".adminApi", i)
	// Keycloak takes about 300 MB beside its heap, as its guide on sizing says.
	k.atLeast("resources.identityProvider.limits.memory", k.cfg.Resources.IdentityProvider.Limits.Memory, "1Gi",
		": 70 % of it are Keycloak's heap, and it needs some 300 MB beside that")
	k.realms(path+".realms", i.Realms)
}

// keycloak checks the image and the version of Keycloak in it.
func (k *checker) keycloak(path string, i Identity) {
	repository, tag := splitImage(i.Image)
	upstream := repository == upstreamImage || strings.HasSuffix(repository, "/"+upstreamImage)
	if upstream && i.Optimized {
		k.add(path+".optimized", true, "is not allowed with the upstream image, which is not built for PostgreSQL; must be false, or image one that was built with kc.sh build --db=postgres", path+".image")
	}
	tagged := taggedVersion(i.Image)
	major, _, _ := strings.Cut(i.Version, ".")
	switch {
	case i.Version == "" && tag == "":
		k.add(path+".version", nil, "is missing; must be the version of Keycloak in the image, such as 26.7.3: the image has no tag that says it", path+".image")
	case i.Version == "":
		k.add(path+".version", nil, fmt.Sprintf("is missing; must be the version of Keycloak in the image, such as 26.7.3: the image's tag %q does not begin with one", tag), path+".image")
	case major == supportedMajor && upstream && tagged != "" && tagged != i.Version && !strings.HasPrefix(tagged, i.Version+"."):
		k.add(path+".version", i.Version, fmt.Sprintf("contradicts the image's tag; must be %s, or left out", tagged), path+".image")
	case major == supportedMajor:
		k.keycloakMinor(path, i, tagged)
	case i.Version == tagged && upstream:
		k.add(path+".image", i.Image, "must have a tag of Keycloak 26, such as 26.7.3: no other major version is supported", path+".version")
	case i.Version == tagged:
		k.add(path+".image", i.Image, fmt.Sprintf("must be of Keycloak 26, which is all that is supported: its tag %q says another version; if that is not Keycloak's, identity.version must say which one is in the image", tag), path+".version")
	default:
		k.add(path+".version", i.Version, "must be a version of Keycloak 26, such as 26.7.3: no other major version is supported")
	}
}

// keycloakMinor refuses versions whose servers would not form a cluster, or not a safe one.
func (k *checker) keycloakMinor(path string, i Identity, tagged string) {
	version, err := majorMinor(minor(i.Version))
	if err != nil || version[1] >= oldestMinor {
		return // the schema has reported what is no version
	}
	const message = "must be of Keycloak 26.2 or newer: the servers of older versions talk to each other without TLS"
	if i.Version == tagged {
		k.add(path+".image", i.Image, message, path+".version")
		return
	}
	k.add(path+".version", i.Version, message)
}

// consumers are those of the databases that are not the identity provider's.
var consumers = map[string]string{"gateway": "the gateway", "controlplane": "the Control Plane"}

// otherBackends are databases that Keycloak can use, but not here.
var otherBackends = []string{"dev-file", "dev-mem", "h2", "mariadb", "mssql", "mysql", "oracle", "postgres", "postgresql", "tidb"}

func (k *checker) identityDatabase(path, name string) {
	var present []string
	for _, cluster := range k.cfg.Storage.PostgreSQL.Clusters {
		for _, database := range cluster.Databases {
			if database.Name != "" && consumers[database.Name] == "" {
				present = append(present, database.Name)
			}
		}
	}
	const where = "controlplane:storage.postgresql.clusters"
	owner := consumers[name]
	switch {
	case owner != "":
		k.add(path, name, fmt.Sprintf("is the database of %s; must be another one, because neither may get at the data of the other", owner))
	case slices.Contains(present, name), k.isTouched(postgresqlPath + ".clusters"), name == irisDatabase:
		// Where iris is missing, its cluster's check says so.
	case strings.Contains(name, ":") || slices.Contains(otherBackends, strings.ToLower(name)):
		k.add(path, name, fmt.Sprintf("must be the name of a database in %s, such as iris: Keycloak runs on PostgreSQL here, and on no other database", where))
	case len(present) == 0:
		k.add(path, name, fmt.Sprintf("is no database in %s; must be one of them", where))
	default:
		sort.Strings(present)
		k.suggest(path, name, fmt.Sprintf("is no database in %s; must be one of them: %s", where, strings.Join(present, ", ")), nearest(name, present))
	}
}

// adminAPI checks how this program reaches the admin API.
func (k *checker) adminAPI(path string, i Identity) {
	u, err := url.Parse(i.AdminAPI.URL)
	if err != nil {
		return // the schema has reported it
	}
	host, loopback := u.Hostname(), isLoopback(u.Hostname())
	switch {
	case u.Scheme != "https" && !loopback:
		k.add(path+".url", u.Redacted(), "must start with https://, because the admin's password is sent there; http:// is only allowed on localhost")
	case u.Scheme != "https" && !i.Admin.PlainHTTP:
		k.add(path+".url", u.Redacted(), "must start with https://, because Keycloak serves no HTTP without TLS unless identity.admin.plainHTTP is true", "identity.admin.plainHTTP")
	case u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || strings.ContainsAny(i.AdminAPI.URL, "?#"):
		k.add(path+".url", u.Redacted(), "must be scheme, host and optional port only, such as https://iris.identity.svc:8443: the paths are known")
	case !isHost(host) || !isPort(u.Port()):
		k.add(path+".url", u.Redacted(), "must have a host name or IP address, and a port from 1 to 65535 if any")
	case host == i.Hostname && host != i.Admin.Hostname && u.Port() == "":
		k.add(path+".url", u.Redacted(), "is the public host name, which serves no admin paths; must be that of identity.admin.hostname, one inside the cluster, or localhost", "identity.hostname")
	}
	if i.AdminAPI.CACertificate != "" && loopback {
		k.add(path+".caCertificate", nil, "has no effect on localhost, where the forwarded port is as safe as the API of Kubernetes; must be left out", path+".url", "identity.admin.hostname")
	}
}

func isPort(s string) bool {
	n, err := strconv.Atoi(s)
	return s == "" || err == nil && n > 0 && n < 65536
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
