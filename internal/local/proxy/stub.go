package proxy

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// newStub returns the server that answers in place of simulated pods, and of the kubelets that are not there.
func (p *Proxy) newStub() *http.Server {
	routes := http.NewServeMux()
	routes.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", p.serveLogs)
	routes.HandleFunc("GET /metrics/resource", p.serveUsage)
	routes.HandleFunc("/", serveStub)
	return &http.Server{
		Handler:           routes,
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          quietLog(p.config.Log),
	}
}

// serveStub lets everything pass, as a webhook that has no opinion.
func serveStub(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		serveDiscovery(w, r)
		return
	}
	var review struct {
		metav1.TypeMeta
		Request *struct {
			UID               string           `json:"uid"`
			DesiredAPIVersion string           `json:"desiredAPIVersion"`
			Objects           []map[string]any `json:"objects"`
		} `json:"request"`
	}
	if err := json.NewDecoder(r.Body).Decode(&review); err != nil || review.Request == nil {
		http.Error(w, "a simulated pod answers reviews only", http.StatusServiceUnavailable)
		return
	}
	response := map[string]any{"uid": review.Request.UID}
	switch review.Kind {
	case "AdmissionReview":
		response["allowed"] = true
	case "ConversionReview":
		for _, object := range review.Request.Objects {
			object["apiVersion"] = review.Request.DesiredAPIVersion
		}
		response["convertedObjects"] = review.Request.Objects
		response["result"] = map[string]any{"status": metav1.StatusSuccess}
	default:
		http.Error(w, fmt.Sprintf("a simulated pod does not answer a %s", review.Kind), http.StatusServiceUnavailable)
		return
	}
	answer(w, map[string]any{"apiVersion": review.APIVersion, "kind": review.Kind, "response": response})
}

// serveDiscovery answers for an aggregated API that it has no kinds. An API that does not answer would keep
// namespaces from being deleted.
func serveDiscovery(w http.ResponseWriter, r *http.Request) {
	path := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(path) != 3 || path[0] != "apis" {
		http.Error(w, "a simulated pod has nothing here", http.StatusNotFound) // which makes the API server ask as below
		return
	}
	answer(w, metav1.APIResourceList{
		TypeMeta:     metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"},
		GroupVersion: path[1] + "/" + path[2],
		APIResources: []metav1.APIResource{},
	})
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // the caller has gone if this fails
}

// certificateAt returns certificates that callers of an address will accept. Kubelets have those of the cluster's
// authority, and are called by their addresses, which callers do not say again.
func (p *Proxy) certificateAt(address string) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if !p.cluster.kubeletAt(address) {
		return p.certificateFor
	}
	return func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		return p.kubelets.serving(host)
	}
}

// certificateFor returns a certificate that the caller will accept for the service that it asks for: the one that the
// service's pods would present, which whoever made the webhook configuration has put its authority into, or else one
// of the authority that the API server trusts anyway.
func (p *Proxy) certificateFor(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := hello.ServerName
	if service := p.cluster.serviceAt(name); service != nil {
		if certificate := p.cluster.mountedCertificate(service, name); certificate != nil {
			return certificate, nil
		}
	}
	return p.ca.serving(name)
}

// mountedCertificate returns a certificate for the name from the secrets that the pods of the service mount.
func (c *cluster) mountedCertificate(service *corev1.Service, name string) *tls.Certificate {
	for _, spec := range c.workloads(service) {
		for _, volume := range spec.Volumes {
			if volume.Secret == nil {
				continue
			}
			secret, err := c.secrets.Secrets(service.Namespace).Get(volume.Secret.SecretName)
			if err != nil {
				continue
			}
			certificate, err := tls.X509KeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
			if err == nil && certificate.Leaf.VerifyHostname(name) == nil {
				return &certificate
			}
		}
	}
	return nil
}
