package tools

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// Tool is one program of the bill of materials. It comes from one of three places: a Go module of a group below tools/,
// Debian packages, or a distribution in a Maven repository.
type Tool struct {
	Name    string // of the binary
	Group   string // directory below tools/ whose go.mod pins it; or "debian" or "maven"
	Package string // what is built: an import path, or a directory of the group; or Debian packages; or Maven coordinates

	Module string // from a Go module: the one whose version is the tool's
	Flags  string // and those for the linker: $VERSION stands for the version, $MAJOR and $MINOR for its first numbers

	Program string // from Maven: the binary's path in the distribution
	SHA256  string // and the distribution's
}

func goTool(name, group, pkg, module, flags string) Tool {
	return Tool{Name: name, Group: group, Package: pkg, Module: module, Flags: flags}
}

func debianTool(name, packages string) Tool {
	return Tool{Name: name, Group: debian, Package: packages}
}

func mavenTool(name, coordinates, program, sha256 string) Tool {
	return Tool{Name: name, Group: maven, Package: coordinates, Program: program, SHA256: sha256}
}

// fromModule reports whether the tool is built from a Go module, as opposed to fetched.
func (t Tool) fromModule() bool { return t.Group != debian && t.Group != maven }

const (
	kubernetesFlags = "-X k8s.io/component-base/version.gitVersion=$VERSION" +
		" -X k8s.io/component-base/version.gitMajor=$MAJOR -X k8s.io/component-base/version.gitMinor=$MINOR" +
		" -X k8s.io/component-base/version.gitTreeState=clean"
	certManagerFlags = "-X github.com/cert-manager/cert-manager/pkg/util.AppVersion=$VERSION"
	prometheusFlags  = "-X github.com/prometheus/common/version.Version=$VERSION"
	valkeyPackages   = "valkey-server valkey-sentinel valkey-tools"
)

// table is in the order in which a build of everything goes.
var table = []Tool{
	goTool("gotestsum", "lint", "gotest.tools/gotestsum", "gotest.tools/gotestsum", "-X gotest.tools/gotestsum/cmd.version=$VERSION"),
	goTool("staticcheck", "lint", "honnef.co/go/tools/cmd/staticcheck", "honnef.co/go/tools", ""),
	goTool("kube-score", "kube-score", "github.com/zegl/kube-score/cmd/kube-score", "github.com/zegl/kube-score", "-X main.version=$VERSION"),
	goTool("actionlint", "actionlint", "github.com/rhysd/actionlint/cmd/actionlint", "github.com/rhysd/actionlint", "-X github.com/rhysd/actionlint.version=$VERSION"),
	goTool(pulumi, "pulumi", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi", "github.com/pulumi/pulumi/pkg/v3", "-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=$VERSION"),
	goTool("etcd", "etcd", ".", "go.etcd.io/etcd/server/v3", ""),
	goTool("kube-apiserver", "kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver", "k8s.io/kubernetes", kubernetesFlags),
	goTool("kube-controller-manager", "kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager", "k8s.io/kubernetes", kubernetesFlags),
	goTool("kube-scheduler", "kubernetes", "k8s.io/kubernetes/cmd/kube-scheduler", "k8s.io/kubernetes", kubernetesFlags),
	goTool("kwok", "kwok", "sigs.k8s.io/kwok/cmd/kwok", "sigs.k8s.io/kwok", ""),
	goTool("cert-manager-controller", "cert-manager", "./controller", "github.com/cert-manager/cert-manager", certManagerFlags),
	goTool("cert-manager-webhook", "cert-manager", "./webhook", "github.com/cert-manager/cert-manager", certManagerFlags),
	goTool("cert-manager-cainjector", "cert-manager", "./cainjector", "github.com/cert-manager/cert-manager", certManagerFlags),
	goTool("cert-manager-startupapicheck", "cert-manager", "./startupapicheck", "github.com/cert-manager/cert-manager", certManagerFlags),
	goTool("cert-manager-acmesolver", "cert-manager", "./acmesolver", "github.com/cert-manager/cert-manager", certManagerFlags),
	goTool("trust-manager", "trust-manager", ".", "github.com/cert-manager/trust-manager", ""),
	goTool("trust-package", "trust-package", ".", "golang.org/x/crypto/x509roots/fallback", "-X main.version=$VERSION"),
	goTool("pebble", "pebble", "github.com/letsencrypt/pebble/v2/cmd/pebble", "github.com/letsencrypt/pebble/v2", "-X main.version=$VERSION"),
	goTool("cloudnative-pg-manager", "cloudnative-pg", ".", "github.com/cloudnative-pg/cloudnative-pg", ""),
	goTool("plugin-barman-cloud", "barman-cloud", ".", "github.com/cloudnative-pg/plugin-barman-cloud", ""),
	goTool("minio", "minio", "github.com/minio/minio", "github.com/minio/minio", ""),
	goTool("mc", "minio", "github.com/minio/mc", "github.com/minio/mc", ""),
	goTool("traefik", "traefik", "github.com/traefik/traefik/v3/cmd/traefik", "github.com/traefik/traefik/v3", "-X github.com/traefik/traefik/v3/pkg/version.Version=$VERSION"),
	goTool("prometheus-operator", "prometheus-operator", "github.com/prometheus-operator/prometheus-operator/cmd/operator", "github.com/prometheus-operator/prometheus-operator", prometheusFlags),
	goTool("prometheus-operator-webhook", "prometheus-operator", "github.com/prometheus-operator/prometheus-operator/cmd/admission-webhook", "github.com/prometheus-operator/prometheus-operator", prometheusFlags),
	goTool("prometheus-config-reloader", "prometheus-operator", "github.com/prometheus-operator/prometheus-operator/cmd/prometheus-config-reloader", "github.com/prometheus-operator/prometheus-operator", prometheusFlags),
	goTool("prometheus", "prometheus", "github.com/prometheus/prometheus/cmd/prometheus", "github.com/prometheus/prometheus", prometheusFlags),
	goTool("promtool", "prometheus", "github.com/prometheus/prometheus/cmd/promtool", "github.com/prometheus/prometheus", prometheusFlags),
	goTool("alertmanager", "alertmanager", "github.com/prometheus/alertmanager/cmd/alertmanager", "github.com/prometheus/alertmanager", prometheusFlags),
	goTool("amtool", "alertmanager", "github.com/prometheus/alertmanager/cmd/amtool", "github.com/prometheus/alertmanager", prometheusFlags),
	goTool("kube-state-metrics", "kube-state-metrics", "k8s.io/kube-state-metrics/v2", "k8s.io/kube-state-metrics/v2", prometheusFlags),
	goTool("node-exporter", "node-exporter", "github.com/prometheus/node_exporter", "github.com/prometheus/node_exporter", prometheusFlags),
	goTool("metrics-server", "metrics-server", ".", "sigs.k8s.io/metrics-server", "-X k8s.io/client-go/pkg/version.gitVersion=$VERSION"),
	goTool("kube-apiserver-1.37", "kubernetes-1.37", "k8s.io/kubernetes/cmd/kube-apiserver", "k8s.io/kubernetes", kubernetesFlags),
	goTool("kube-controller-manager-1.37", "kubernetes-1.37", "k8s.io/kubernetes/cmd/kube-controller-manager", "k8s.io/kubernetes", kubernetesFlags),
	goTool("kube-scheduler-1.37", "kubernetes-1.37", "k8s.io/kubernetes/cmd/kube-scheduler", "k8s.io/kubernetes", kubernetesFlags),
	debianTool("valkey-server", valkeyPackages),
	debianTool("valkey-sentinel", valkeyPackages),
	debianTool("valkey-cli", valkeyPackages),
	debianTool("haproxy", "haproxy"),
	debianTool("postgres", "postgresql"),
	debianTool("initdb", "postgresql"),
	debianTool("psql", "postgresql"),
	debianTool(java, "default-jre-headless"),
	debianTool(mvn, "maven"),
	mavenTool("keycloak", "org.keycloak:keycloak-quarkus-dist:26.7.3:tar.gz", "bin/kc.sh",
		"77657f30b7e90d70f727712ce1c967f430fd6a5e9f458d32d8c6df0635345f47"),
}

// find returns the tool of that name, or an error that names the nearest one.
func (b *builder) find(name string) (Tool, error) {
	if i := slices.IndexFunc(b.table, func(t Tool) bool { return t.Name == name }); i >= 0 {
		return b.table[i], nil
	}
	near := slices.MinFunc(b.table, func(x, y Tool) int {
		return cmp.Compare(levenshtein.Distance(name, x.Name, nil), levenshtein.Distance(name, y.Name, nil))
	})
	return Tool{}, fmt.Errorf("unknown tool %q: did you mean %q? (all: %s)", name, near.Name, strings.Join(b.names(), ", "))
}

// modules are the names of the tools that come from Go modules.
func (b *builder) modules() []string {
	var names []string
	for _, t := range b.table {
		if t.fromModule() {
			names = append(names, t.Name)
		}
	}
	return names
}

func (b *builder) names() []string {
	names := make([]string, len(b.table))
	for i, t := range b.table {
		names[i] = t.Name
	}
	return names
}

// version is the one that the group's go.mod requires of the tool's module.
func (b *builder) version(t Tool) (string, error) {
	file := filepath.Join(b.groupDir(t.Group), "go.mod")
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("tool %s: %w", t.Name, err)
	}
	require := regexp.MustCompile(`(?m)^\s*(?:require\s+)?` + regexp.QuoteMeta(t.Module) + `\s+(v\S+)`)
	match := require.FindSubmatch(content)
	if match == nil {
		return "", fmt.Errorf("tool %s: %s does not require module %s", t.Name, file, t.Module)
	}
	return string(match[1]), nil
}

// linkerFlags are the tool's with its version filled in; binaries carry no symbols, which halves them.
func linkerFlags(t Tool, version string) string {
	numbers := strings.SplitN(strings.TrimPrefix(version, "v")+"..", ".", 3)
	values := map[string]string{"VERSION": version, "MAJOR": numbers[0], "MINOR": numbers[1]}
	return strings.TrimSpace("-s -w " + os.Expand(t.Flags, func(name string) string { return values[name] }))
}
