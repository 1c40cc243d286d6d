package valkey

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	serviceName   = "valkey"           // the Service of the primary, and the StatefulSet of the servers
	serversName   = "valkey-servers"   // their headless Service and configuration
	sentinelsName = "valkey-sentinels" // the sentinels: StatefulSet, headless Service, configuration
	proxiesName   = "valkey-proxies"   // the proxies: Deployment, configuration
	scriptsName   = "valkey-scripts"
	serverTLS     = "valkey-servers-tls"
	sentinelTLS   = "valkey-sentinels-tls"

	// clusterDomain is the one that the Control Plane requires. HAProxy resolves whole names only.
	clusterDomain = "cluster.local"
	sentinelPort  = 26379
	metricsPort   = 9121
	healthPort    = 8404
)

// component is a part of it, as app.kubernetes.io/component names it.
type component string

const (
	server   component = "server"
	sentinel component = "sentinel"
	proxy    component = "proxy"
)

func (c component) selector() map[string]string {
	return map[string]string{"app.kubernetes.io/name": "valkey", "app.kubernetes.io/component": string(c)}
}

func (c component) labels() map[string]string {
	labels := c.selector()
	labels["app.kubernetes.io/part-of"] = "controlplane-infrastructure"
	labels["app.kubernetes.io/managed-by"] = "pulumi"
	return labels
}

func (c component) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: Namespace, Name: name, Labels: c.labels()}
}

// hosts are the names of a StatefulSet's pods. They stay when a pod is replaced.
func hosts(statefulSet, service string, count int) []string {
	var all []string
	for i := range count {
		all = append(all, fmt.Sprintf("%s-%d.%s.%s.svc.%s", statefulSet, i, service, Namespace, clusterDomain))
	}
	return all
}

func (b *builder) serverHosts() []string { return hosts(serviceName, serversName, b.args.Servers) }

func (b *builder) sentinelHosts() []string {
	if !b.args.replicated() {
		return nil
	}
	return hosts(sentinelsName, sentinelsName, b.args.Sentinels)
}

func words(all []string) string { return strings.Join(all, " ") }
