package identity

import (
	"fmt"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

const (
	// hostVariable is where the database is.
	hostVariable = "KC_DB_URL_HOST"

	tlsDir   = "/etc/iris/tls"
	trustDir = "/etc/iris/trust"

	// shutdownDelay is how long a server that ends lets clients know on the connections that they have, and
	// shutdownTimeout how long it then gives requests under way. In seconds.
	shutdownDelay, shutdownTimeout = 5, 20
)

// userEvents are those that metrics count: what clients of the platform do, and its administrators.
const userEvents = "login,client_login,refresh_token,code_to_token,introspect_token,token_exchange," +
	"user_disabled_by_temporary_lockout,user_disabled_by_permanent_lockout"

// buildSettings are the options that Keycloak takes at build time. The server gets them too: it compares them with
// those it was built with.
func buildSettings() []corev1.EnvVar {
	return []corev1.EnvVar{
		{Name: "KC_DB", Value: "postgres"},
		{Name: "KC_CACHE", Value: "ispn"},
		{Name: "KC_CACHE_STACK", Value: "jdbc-ping"},
		{Name: "KC_HTTP_RELATIVE_PATH", Value: relativePath},
		{Name: "KC_HEALTH_ENABLED", Value: "true"},
		{Name: "KC_METRICS_ENABLED", Value: "true"},
		{Name: "KC_EVENT_METRICS_USER_ENABLED", Value: "true"},
	}
}

// settings are all of a server's.
func (b *builder) settings() []corev1.EnvVar {
	env := buildSettings()
	env = append(env, b.databaseSettings()...)
	env = append(env, b.addressSettings()...)
	return append(env,
		field("POD_IP", "status.podIP"),
		// Mutual TLS between the servers is Keycloak's own default.
		corev1.EnvVar{Name: "KC_CACHE_EMBEDDED_NETWORK_BIND_ADDRESS", Value: "$(POD_IP)"},
		corev1.EnvVar{Name: "KC_EVENT_METRICS_USER_EVENTS", Value: userEvents},
		corev1.EnvVar{Name: "KC_HTTP_METRICS_HISTOGRAMS_ENABLED", Value: "true"},
		// Clients try again, or elsewhere; the kubelet's probes must not wait behind a crowd.
		corev1.EnvVar{Name: "KC_HTTP_MAX_QUEUED_REQUESTS", Value: "1000"},
		corev1.EnvVar{Name: "KC_SHUTDOWN_DELAY", Value: fmt.Sprintf("%ds", shutdownDelay)},
		corev1.EnvVar{Name: "KC_SHUTDOWN_TIMEOUT", Value: fmt.Sprintf("%ds", shutdownTimeout)},
		corev1.EnvVar{Name: "KC_LOG_CONSOLE_OUTPUT", Value: "json"},
		secret("KC_BOOTSTRAP_ADMIN_USERNAME", adminName, userKey),
		secret("KC_BOOTSTRAP_ADMIN_PASSWORD", adminName, passwordKey),
	)
}

func (b *builder) databaseSettings() []corev1.EnvVar {
	d := b.args.Database
	least, most := strconv.Itoa(smallestPool), strconv.Itoa(b.args.pool())
	return []corev1.EnvVar{
		{Name: hostVariable}, // known only at run time: see setHost
		{Name: "KC_DB_URL_PORT", Value: strconv.Itoa(d.Port)},
		{Name: "KC_DB_URL_DATABASE", Value: d.Name},
		// The driver reads the bundle for each connection, so authorities can be replaced under running servers. A
		// database server that is gone without a word is given up after two minutes, not after the many that TCP takes.
		{Name: "KC_DB_URL_PROPERTIES", Value: "?sslmode=verify-full&sslrootcert=" + b.bundle() + "&tcpKeepAlive=true&socketTimeout=120"},
		secret("KC_DB_USERNAME", databaseSecret, userKey),
		secret("KC_DB_PASSWORD", databaseSecret, passwordKey),
		// What a server does not need it gives back. When the number of servers, or what they may open together, changes,
		// those with the shares of before keep running until new ones are ready, which need connections for that.
		{Name: "KC_DB_POOL_INITIAL_SIZE", Value: least},
		{Name: "KC_DB_POOL_MIN_SIZE", Value: least},
		{Name: "KC_DB_POOL_MAX_SIZE", Value: most},
	}
}

func (b *builder) addressSettings() []corev1.EnvVar {
	admin := fmt.Sprintf("https://localhost:%d", httpsPort) // the console, through a forwarded port
	if hostname := b.args.Admin.Hostname; hostname != "" {
		admin = "https://" + hostname
	}
	return []corev1.EnvVar{
		{Name: "KC_HOSTNAME", Value: "https://" + b.args.Hostname + relativePath},
		{Name: "KC_HOSTNAME_ADMIN", Value: admin + relativePath},
		{Name: "KC_HOSTNAME_BACKCHANNEL_DYNAMIC", Value: "true"},
		{Name: "KC_PROXY_HEADERS", Value: "xforwarded"},
		{Name: "KC_HTTP_HOST", Value: "0.0.0.0"},
		{Name: "KC_HTTP_ENABLED", Value: strconv.FormatBool(b.args.Admin.PlainHTTP)},
		{Name: "KC_HTTPS_CERTIFICATE_FILE", Value: tlsDir + "/" + corev1.TLSCertKey},
		{Name: "KC_HTTPS_CERTIFICATE_KEY_FILE", Value: tlsDir + "/" + corev1.TLSPrivateKeyKey},
		// The management interface inherits all of these.
		{Name: "KC_HTTPS_CERTIFICATES_RELOAD_PERIOD", Value: "10m"},
		{Name: "KC_HTTPS_PROTOCOLS", Value: "TLSv1.3,TLSv1.2"},
	}
}

// bundle is the file with the authorities that the platform trusts.
func (b *builder) bundle() string { return trustDir + "/" + b.args.Trust.Key }

const mebibyte = 1 << 20

const (
	// heapPercent is the share of the memory that the heap may take, startPercent what it takes at first: both are what
	// the start script of the upstream image, bin/kc.sh, uses.
	heapPercent, startPercent = 70, 50
	// otherMemory is what Keycloak needs beside the heap, about. Source: the Keycloak documentation, "Concepts for
	// sizing CPU and memory resources".
	otherMemory = 300 * mebibyte
	// smallestMemory is the least that a server can be given. Source: the Keycloak documentation, "Running Keycloak in
	// a container".
	smallestMemory = 750 * mebibyte
)

// heap are the options of the Java virtual machine that size its heap by the container's memory.
func (a Args) heap() (string, error) {
	limit, found := a.Classes[workload.IdentityProvider].Limits[corev1.ResourceMemory]
	if !found {
		return "", fmt.Errorf("the memory of class %s has no limit in Classes, by which the heap is sized", workload.IdentityProvider)
	}
	if least := resource.NewQuantity(smallestMemory, resource.BinarySI); limit.Cmp(*least) < 0 {
		return "", fmt.Errorf("the memory of class %s is limited to %s in Classes: allowed are %s and more",
			workload.IdentityProvider, limit.String(), least)
	}
	most := min(limit.Value()*heapPercent/100, limit.Value()-otherMemory)
	first := min(limit.Value()*startPercent/100, most)
	return fmt.Sprintf("-Xms%dm -Xmx%dm", first/mebibyte, most/mebibyte), nil
}

// setHost tells the servers where the database is.
func (b *builder) setHost(o *manifest.Object, env []corev1.EnvVar) {
	at := slices.IndexFunc(env, func(v corev1.EnvVar) bool { return v.Name == hostVariable })
	o.Set(b.args.Database.Host, "spec", "template", "spec", "containers", "0", "env", strconv.Itoa(at), "value")
}

func field(variable, path string) corev1.EnvVar {
	return corev1.EnvVar{Name: variable, ValueFrom: &corev1.EnvVarSource{
		FieldRef: &corev1.ObjectFieldSelector{FieldPath: path},
	}}
}

func secret(variable, secretName, key string) corev1.EnvVar {
	return corev1.EnvVar{Name: variable, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: secretName}, Key: key,
	}}}
}
