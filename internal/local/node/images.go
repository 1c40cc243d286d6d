package node

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// image says how the program of an image is run as a process.
type image struct {
	// tool is the program's name in the tools of this repository.
	tool string
	// initOnly tells that the image is known as an init container, and does not make a pod a real one by itself.
	initOnly bool
	// listeners are what the program listens on.
	listeners []listener
	// args are added to those of the container, with the paths of volumes as the container sees them.
	args []string
}

// listener is a socket that the program opens.
type listener struct {
	flag string // sets the port or, with host, "host:port"
	port int    // the program's default, used when the flag is absent; 0: it does not listen then
	host bool
}

// loopback is for programs whose own flags choose a port and no address.
var loopback = []string{"--listen-host=127.0.0.1"}

// images maps the last element of an image's repository to its program. Only that element counts, because a mirror of
// images may have a registry and a path of its own.
var images = map[string]image{
	"cert-manager-controller": {
		tool: "cert-manager-controller",
		listeners: []listener{
			{flag: "--metrics-listen-address", port: 9402, host: true},
			{flag: "--healthz-listen-address", port: 9403, host: true},
		},
	},
	"cert-manager-webhook": {
		tool: "cert-manager-webhook",
		args: loopback,
		listeners: []listener{
			{flag: "--secure-port", port: 6443},
			{flag: "--healthz-port", port: 6080},
			{flag: "--metrics-listen-address", port: 9402, host: true},
		},
	},
	"cert-manager-cainjector": {
		tool:      "cert-manager-cainjector",
		listeners: []listener{{flag: "--metrics-listen-address", port: 9402, host: true}},
	},
	"cert-manager-startupapicheck": {
		tool: "cert-manager-startupapicheck",
	},
	"cert-manager-acmesolver": {
		tool:      "cert-manager-acmesolver",
		args:      loopback,
		listeners: []listener{{flag: "--listen-port", port: 8089}},
	},
	"trust-manager": {
		tool: "trust-manager",
		args: loopback,
		listeners: []listener{
			{flag: "--webhook-port", port: 6443},
			{flag: "--metrics-port", port: 9402},
			{flag: "--readiness-probe-port", port: 6060},
		},
	},
	// PostgreSQL itself is simulated, and so are its answers to the operator.
	"cloudnative-pg": {
		tool: "cloudnative-pg-manager",
		args: []string{"--listen-host=127.0.0.1", "--webhook-cert-dir=/run/secrets/cnpg.io/webhook"},
		listeners: []listener{
			{flag: "--webhook-port", port: 9443},
			{flag: "--metrics-bind-address", port: 8080, host: true},
		},
	},
	// Its lease would be in the namespace that a file names which only real pods have.
	"plugin-barman-cloud": {
		tool: "plugin-barman-cloud",
		args: []string{"--leader-elect=false"},
		listeners: []listener{
			{flag: "--server-address", port: 9090, host: true},
			{flag: "--health-probe-bind-address", port: 8081, host: true},
			{flag: "--metrics-bind-address", host: true},
		},
	},
	"metrics-server": {
		tool:      "metrics-server",
		args:      []string{"--bind-address=127.0.0.1"},
		listeners: []listener{{flag: "--secure-port", port: 443}},
	},
	// What it makes of its custom resources is simulated.
	"prometheus-operator": {
		tool:      "prometheus-operator",
		listeners: []listener{{flag: "--web.listen-address", port: 8080, host: true}},
	},
	"admission-webhook": {
		tool:      "prometheus-operator-webhook",
		listeners: []listener{{flag: "--web.listen-address", port: 8443, host: true}},
	},
	"trust-pkg-debian-bookworm": {tool: "trust-package", initOnly: true},
	"trust-pkg-debian-trixie":   {tool: "trust-package", initOnly: true},
}

// Images returns the last elements of the image repositories whose pods run as real processes, sorted.
func Images() []string {
	var names []string
	for name, i := range images {
		if !i.initOnly {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Programs returns the names of the tools that stand for images, sorted.
func Programs() []string {
	var names []string
	for _, i := range images {
		names = append(names, i.tool)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// IsReal reports whether pods like this run as real processes: whether the image of the first container is known.
func IsReal(spec *corev1.PodSpec) bool {
	if len(spec.Containers) == 0 {
		return false
	}
	i, known := images[repository(spec.Containers[0].Image)]
	return known && !i.initOnly
}

// repository returns the last element of an image's name, without tag and digest.
func repository(image string) string {
	name, _, _ := strings.Cut(image, "@")
	name = name[strings.LastIndex(name, "/")+1:]
	name, _, _ = strings.Cut(name, ":")
	return name
}
