package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

// encrypted looks for ways into the platform that do not speak TLS, or of which nobody can tell.
func encrypted(s *stack, r *resource) []breach {
	switch {
	case r.is("Service"):
		return s.plainPorts(r)
	case r.is("Ingress"):
		return plainHosts(r)
	case r.Type == aws.CacheGroup && r.Inputs["transitEncryptionEnabled"] != true:
		return []breach{{"transitEncryptionEnabled", "transitEncryptionEnabled is not true: clients would speak to it in plain text"}}
	case r.Type == aws.DatabaseParameters && !forcesTLS(r):
		return []breach{{"rds.force_ssl", "the parameter rds.force_ssl is not 1: clients could speak to it in plain text"}}
	}
	return nil
}

// secured are names of ports and of their protocols that promise TLS.
var secured = regexp.MustCompile(`^(https|tls|grpcs|.*-tls)(-.*)?$`)

// plainPorts are the ports of a Service that nothing says of that they speak TLS. What says so is their name or their
// protocol, the API server, which calls nobody without, or a monitor that scrapes them by https.
func (s *stack) plainPorts(r *resource) []breach {
	if text(r.object.Object, "spec", "type") == "ExternalName" {
		return nil
	}
	var found []breach
	for _, port := range items(r.object.Object, "spec", "ports") {
		name, number := text(port, "name"), fmt.Sprint(port["port"])
		if secured.MatchString(name) || secured.MatchString(text(port, "appProtocol")) ||
			s.calledBack(r, number) || s.scrapedSecurely(r, port) {
			continue
		}
		what := "port " + number
		if name != "" {
			what += " (" + name + ")"
		}
		found = append(found, breach{number, what + " does not say that it speaks TLS: serve TLS and name it https, or state the reason in the exceptions"})
	}
	return found
}

// calledBack tells whether the API server calls the port of a Service: for a webhook, or for an API of its own.
func (s *stack) calledBack(r *resource, number string) bool {
	ours := func(service map[string]any) bool {
		port := "443"
		if service["port"] != nil {
			port = fmt.Sprint(service["port"])
		}
		return text(service, "name") == r.object.GetName() && text(service, "namespace") == r.object.GetNamespace() && port == number
	}
	for _, kind := range []string{"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"} {
		for _, c := range s.byKind[kind] {
			for _, webhook := range items(c.object.Object, "webhooks") {
				if service, found, _ := unstructured.NestedMap(webhook, "clientConfig", "service"); found && ours(service) {
					return true
				}
			}
		}
	}
	return slices.ContainsFunc(s.byKind["APIService"], func(a *resource) bool {
		service, found, _ := unstructured.NestedMap(a.object.Object, "spec", "service")
		return found && ours(service)
	})
}

// scrapedSecurely tells whether a ServiceMonitor scrapes a port by https.
func (s *stack) scrapedSecurely(r *resource, port map[string]any) bool {
	for _, monitor := range s.byKind["ServiceMonitor"] {
		var selector metav1.LabelSelector
		content, _, _ := unstructured.NestedMap(monitor.object.Object, "spec", "selector")
		if runtime.DefaultUnstructuredConverter.FromUnstructured(content, &selector) != nil ||
			monitor.object.GetNamespace() != r.object.GetNamespace() || !selects(&selector, r.object.GetLabels()) {
			continue
		}
		for _, endpoint := range items(monitor.object.Object, "spec", "endpoints") {
			if text(endpoint, "scheme") == "https" && text(endpoint, "port") == text(port, "name") {
				return true
			}
		}
	}
	return false
}

// plainHosts are the hosts of an Ingress for which it has no certificate.
func plainHosts(r *resource) []breach {
	var secure []string
	for _, tls := range items(r.object.Object, "spec", "tls") {
		secure = append(secure, words(tls, "hosts")...)
	}
	var found []breach
	for _, rule := range items(r.object.Object, "spec", "rules") {
		if host := text(rule, "host"); !slices.Contains(secure, host) {
			found = append(found, breach{host, fmt.Sprintf("the host %s is in no section tls: it would be served in plain text", strconv.Quote(host))})
		}
	}
	return found
}

// forcesTLS tells whether the parameters of a database refuse connections without TLS.
func forcesTLS(r *resource) bool {
	return slices.ContainsFunc(items(r.Inputs, "parameters"), func(p map[string]any) bool {
		return p["name"] == "rds.force_ssl" && fmt.Sprint(p["value"]) == "1"
	})
}
