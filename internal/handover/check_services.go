package handover

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var prometheusesResource = schema.GroupVersionResource{Group: "monitoring.coreos.com", Version: "v1", Resource: "prometheuses"}

func (i *inspector) monitoringNamespace(ctx context.Context) (found, error) {
	list, err := i.client.CoreV1().Namespaces().List(ctx, metav1.ListOptions{LabelSelector: "metrics=enabled"})
	if err != nil {
		return found{}, err
	}
	var names []string
	for _, ns := range list.Items {
		names = append(names, ns.Name)
		if ns.Name == i.out.MonitoringNamespace {
			return holds("%s", ns.Name), nil
		}
	}
	switch {
	case i.out.MonitoringNamespace != "":
		return fails("%s, where the stack's Prometheus is, has not", i.out.MonitoringNamespace), nil
	case len(names) == 0:
		return unseen("no namespace has it, and the stack installs no monitoring"), nil
	}
	return holds("%s", strings.Join(names, ", ")), nil
}

// prometheuses are the cluster's. A missing resource definition means none.
func (i *inspector) prometheuses(ctx context.Context) ([]unstructured.Unstructured, error) {
	list, err := i.dynamic.Resource(prometheusesResource).List(ctx, metav1.ListOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}

const noPrometheus = "the cluster has no object of kind Prometheus to look at"

func (i *inspector) prometheusSelectors(ctx context.Context) (found, error) {
	all, err := i.prometheuses(ctx)
	if err != nil {
		return found{}, err
	}
	for _, p := range all {
		if selectsAll(p, "serviceMonitorSelector") && selectsAll(p, "serviceMonitorNamespaceSelector") {
			return holds("%s/%s", p.GetNamespace(), p.GetName()), nil
		}
	}
	if len(all) == 0 {
		return i.withoutPrometheus(), nil
	}
	return fails("none of %d does", len(all)), nil
}

// prometheusTokens are files which the Control Plane's ServiceMonitors name: with them Prometheus says who it is.
func (i *inspector) prometheusTokens(ctx context.Context) (found, error) {
	all, err := i.prometheuses(ctx)
	if err != nil {
		return found{}, err
	}
	var refusing []string
	for _, p := range all {
		deny, _, _ := unstructured.NestedBool(p.Object, "spec", "arbitraryFSAccessThroughSMs", "deny")
		if !deny {
			return holds("%s/%s", p.GetNamespace(), p.GetName()), nil
		}
		refusing = append(refusing, p.GetNamespace()+"/"+p.GetName())
	}
	if len(all) == 0 {
		return i.withoutPrometheus(), nil
	}
	return fails("%s reads none", strings.Join(refusing, ", ")), nil
}

// withoutPrometheus is a fault when the stack installs one.
func (i *inspector) withoutPrometheus() found {
	if i.out.PrometheusURL != "" {
		return fails(noPrometheus)
	}
	return unseen(noPrometheus)
}

// selectsAll tells an empty selector from none, which selects nothing.
func selectsAll(p unstructured.Unstructured, field string) bool {
	selector, is, _ := unstructured.NestedMap(p.Object, "spec", field)
	return is && len(selector) == 0
}

func (i *inspector) prometheusAccess(ctx context.Context) (found, error) {
	all, err := i.prometheuses(ctx)
	if err != nil {
		return found{}, err
	}
	if len(all) == 0 {
		return i.withoutPrometheus(), nil
	}
	var refused []string
	for _, p := range all {
		account, _, _ := unstructured.NestedString(p.Object, "spec", "serviceAccountName")
		if account == "" {
			account = "default"
		}
		review, err := i.client.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{
			Spec: authorizationv1.SubjectAccessReviewSpec{
				User:                  "system:serviceaccount:" + p.GetNamespace() + ":" + account,
				Groups:                []string{"system:serviceaccounts", "system:serviceaccounts:" + p.GetNamespace(), "system:authenticated"},
				NonResourceAttributes: &authorizationv1.NonResourceAttributes{Path: "/metrics", Verb: "get"},
			},
		}, metav1.CreateOptions{})
		if err != nil {
			return found{}, err
		}
		if review.Status.Allowed {
			return holds("service account %s/%s", p.GetNamespace(), account), nil
		}
		refused = append(refused, p.GetNamespace()+"/"+account)
	}
	return fails("service account %s may not", strings.Join(refused, ", ")), nil
}

// trustedIssuers have to be URLs that the servers reach. The overlay tells them to the servers.
func (i *inspector) trustedIssuers(context.Context) (found, error) {
	for issuer := range strings.SplitSeq(i.out.TrustedIssuers, ",") {
		if u, err := url.Parse(issuer); err != nil || u.Scheme != "https" || u.Host == "" {
			return fails("%q is no HTTPS URL", issuer), nil
		}
	}
	return holds("%s", i.out.TrustedIssuers), nil
}

func (i *inspector) controlPlaneDatabase(ctx context.Context) (found, error) {
	secret, err := i.client.CoreV1().Secrets(i.out.Namespace).Get(ctx, i.out.ControlPlaneDBSecretName, metav1.GetOptions{})
	if err != nil {
		return found{}, err
	}
	text := string(secret.Data["url"])
	u, err := url.Parse(text)
	password := false
	if err == nil && u.User != nil {
		_, password = u.User.Password()
	}
	// What the key holds is secret: it is not repeated.
	switch {
	case text == "":
		return fails("it has no key url"), nil
	case err != nil, u.Scheme != "postgresql" && u.Scheme != "postgres", u.Host == "", strings.Trim(u.Path, "/") == "", !password:
		return fails("its key url is no URL of a PostgreSQL database with a user and a password"), nil
	}
	return i.serves(ctx, u.Host)
}

func (i *inspector) gatewayDatabase(ctx context.Context) (found, error) {
	return i.serves(ctx, i.out.GatewayDatabase.Host)
}

func (i *inspector) redis(ctx context.Context) (found, error) {
	if f, err := i.hasKeys(ctx, i.out.SecretNames["redis"], "password"); err != nil || f.status != OK {
		return f, err
	}
	return i.serves(ctx, i.out.Redis.Host)
}

func (i *inspector) objectStorage(ctx context.Context) (found, error) {
	switch {
	case i.out.S3Endpoint == "":
		return unseen("the stack has none: the File Manager needs another one"), nil
	case i.out.S3CredentialsSecretName == "":
		return unseen("bucket %s, by role %s: outside of the cluster", i.out.S3Bucket, i.out.S3RoleARN), nil
	}
	f, err := i.hasKeys(ctx, i.out.Namespace+"/"+i.out.S3CredentialsSecretName, "accessKey", "secretKey")
	if err != nil || f.status != OK {
		return f, err
	}
	return i.serves(ctx, i.out.S3Endpoint)
}

func (i *inspector) identityProvider(ctx context.Context) (found, error) {
	if f, err := i.hasKeys(ctx, i.out.SecretNames["irisAdmin"], "password"); err != nil || f.status != OK {
		return f, err
	}
	u, err := url.Parse(i.out.IrisAdminURL)
	if err != nil {
		return fails("%s is no URL", i.out.IrisAdminURL), nil
	}
	return i.serves(ctx, u.Host)
}

// hasKeys looks for keys of a Secret, named namespace/name.
func (i *inspector) hasKeys(ctx context.Context, name string, keys ...string) (found, error) {
	namespace, name, _ := strings.Cut(name, "/")
	secret, err := i.client.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return found{}, err
	}
	for _, key := range keys {
		if len(secret.Data[key]) == 0 {
			return fails("Secret %s/%s has no key %s", namespace, name, key), nil
		}
	}
	return holds("Secret %s/%s", namespace, name), nil
}

// serves tells whether a Service of the cluster has a pod that is ready. What is outside is not reached from here.
func (i *inspector) serves(ctx context.Context, address string) (found, error) {
	host := address
	if h, _, err := net.SplitHostPort(address); err == nil {
		host = h
	}
	parts := strings.Split(strings.TrimSuffix(host, ".cluster.local"), ".")
	if len(parts) != 3 || parts[2] != "svc" {
		return holds("%s, outside of the cluster", host), nil
	}
	name, namespace := parts[0], parts[1]
	if _, err := i.client.CoreV1().Services(namespace).Get(ctx, name, metav1.GetOptions{}); err != nil {
		return found{}, err
	}
	selected := metav1.ListOptions{LabelSelector: discoveryv1.LabelServiceName + "=" + name}
	slices, err := i.client.DiscoveryV1().EndpointSlices(namespace).List(ctx, selected)
	if err != nil {
		return found{}, err
	}
	ready := 0
	for _, slice := range slices.Items {
		for _, e := range slice.Endpoints {
			if e.Conditions.Ready == nil || *e.Conditions.Ready {
				ready += len(e.Addresses)
			}
		}
	}
	if ready == 0 {
		return fails("Service %s/%s has no pod that is ready", namespace, name), nil
	}
	return holds("%s, %s", host, plural(ready, "pod")), nil
}

func plural(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
