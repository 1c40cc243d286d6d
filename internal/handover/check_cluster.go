package handover

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

var (
	definitionsResource  = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	certificatesResource = schema.GroupVersionResource{Group: "cert-manager.io", Version: "v1", Resource: "certificates"}
	issuersResource      = schema.GroupVersionResource{Group: "cert-manager.io", Version: "v1", Resource: "issuers"}
	bundlesResource      = schema.GroupVersionResource{Group: "trust.cert-manager.io", Version: "v1alpha1", Resource: "bundles"}
)

var dryRun = metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}

// honouring are controllers that know the annotation which the Control Plane's Ingresses have. Traefik needs a provider for it.
var honouring = []string{traefikController, "k8s.io/ingress-nginx"}

const traefikController = "traefik.io/ingress-controller"

// ingressController serves the Control Plane's Ingresses, which name no class.
func (i *inspector) ingressController(ctx context.Context) (found, error) {
	list, err := i.client.NetworkingV1().IngressClasses().List(ctx, metav1.ListOptions{})
	if err != nil {
		return found{}, err
	}
	for _, class := range list.Items {
		if class.Annotations[networkingv1.AnnotationIsDefaultIngressClass] != "true" {
			continue
		}
		if !slices.Contains(honouring, class.Spec.Controller) {
			return unseen("%s of class %s is not known to", class.Spec.Controller, class.Name), nil
		}
		if class.Spec.Controller == traefikController {
			if has, err := i.traefikHonours(ctx); err != nil {
				return found{}, err
			} else if !has {
				return unseen("%s of class %s does with its provider for them, which no Deployment says that it has",
					class.Spec.Controller, class.Name), nil
			}
		}
		return holds("%s, class %s", class.Spec.Controller, class.Name), nil
	}
	return fails("no class is the default"), nil
}

// traefikHonours tells whether Traefik runs with its provider for the annotations of ingress-nginx.
func (i *inspector) traefikHonours(ctx context.Context) (bool, error) {
	list, err := i.client.AppsV1().Deployments("").List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=traefik"})
	if err != nil {
		return false, err
	}
	for _, d := range list.Items {
		for _, c := range d.Spec.Template.Spec.Containers {
			if slices.ContainsFunc(c.Args, func(a string) bool {
				return strings.HasPrefix(strings.ToLower(a), "--providers.kubernetesingressnginx")
			}) {
				return true, nil
			}
		}
	}
	return false, nil
}

// tokenIssuer is whose tokens others believe: the File Manager's role in AWS among them.
func (i *inspector) tokenIssuer(ctx context.Context) (found, error) {
	get := func(path string) ([]byte, error) {
		return i.client.Discovery().RESTClient().Get().AbsPath(path).DoRaw(ctx)
	}
	data, err := get("/.well-known/openid-configuration")
	if err != nil {
		return found{}, err
	}
	var document struct {
		Issuer string `json:"issuer"`
	}
	if err := json.Unmarshal(data, &document); err != nil || document.Issuer == "" {
		return fails("the document at /.well-known/openid-configuration names none"), nil
	}
	if want := i.out.ClusterOIDCIssuer; want != "" && want != document.Issuer {
		return fails("%s, and the stack says %s", document.Issuer, want), nil
	}
	if _, err := get("/openid/v1/jwks"); err != nil {
		return found{}, fmt.Errorf("keys of %s: %w", document.Issuer, err)
	}
	return holds("%s", document.Issuer), nil
}

// clusterDomain is in the API server's certificate, as pods know the server by that name as well.
func (i *inspector) clusterDomain(ctx context.Context) (found, error) {
	server, err := url.Parse(i.config.Host)
	if err != nil || server.Scheme != "https" {
		return unseen("the API server is not reached by HTTPS"), nil
	}
	address := server.Host
	if server.Port() == "" {
		address += ":443"
	}
	verified, err := rest.TLSConfigFor(i.config)
	if err != nil {
		return found{}, err
	}
	conn, err := (&tls.Dialer{Config: verified}).DialContext(ctx, "tcp", address)
	if err != nil {
		return unseen("its certificate cannot be seen: %s", err), nil
	}
	defer func() { _ = conn.Close() }()
	for _, name := range conn.(*tls.Conn).ConnectionState().PeerCertificates[0].DNSNames {
		if domain, is := strings.CutPrefix(name, "kubernetes.default.svc."); is {
			if domain != "cluster.local" {
				return fails("the cluster's domain is %s", domain), nil
			}
			return holds("%s", name), nil
		}
	}
	return unseen("the API server's certificate names no domain"), nil
}

// namespace has to be there before the Control Plane, with labels that its network policies select.
func (i *inspector) namespace(ctx context.Context) (found, error) {
	ns, err := i.client.CoreV1().Namespaces().Get(ctx, i.out.Namespace, metav1.GetOptions{})
	if err != nil {
		return found{}, err
	}
	var missing []string
	for key, value := range map[string]string{
		"app.kubernetes.io/name": i.out.Namespace, "cp.ei.telekom.de/secret-manager": "enabled",
		"cp.ei.telekom.de/file-manager": "enabled", "cp.ei.telekom.de/controlplane-api": "enabled",
	} {
		if ns.Labels[key] != value {
			missing = append(missing, key+"="+value)
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return fails("without %s", strings.Join(missing, ", ")), nil
	}
	return holds("pods are held to the Pod Security level %s", level(ns)), nil
}

func level(ns *corev1.Namespace) string {
	if level := ns.Labels["pod-security.kubernetes.io/enforce"]; level != "" {
		return level
	}
	return "of the cluster"
}

// namespaces appear for environments, zones and teams.
func (i *inspector) namespaces(ctx context.Context) (found, error) {
	const name = "handover-check--zone"
	_, err := i.client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"cp.ei.telekom.de/environment": "handover-check"}},
	}, dryRun)
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return found{}, err
	}
	return holds("%s would be made", name), nil
}

// required are definitions that the Control Plane's manifests have objects of.
var required = []string{
	"certificates.cert-manager.io", "issuers.cert-manager.io", "bundles.trust.cert-manager.io",
	"servicemonitors.monitoring.coreos.com", "podmonitors.monitoring.coreos.com", "prometheusrules.monitoring.coreos.com",
}

func (i *inspector) definitions(ctx context.Context) (found, error) {
	var problems []string
	for _, name := range required {
		d, err := i.dynamic.Resource(definitionsResource).Get(ctx, name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			problems = append(problems, name+" is missing")
		case err != nil:
			return found{}, err
		case !conditionTrue(d, "Established"):
			problems = append(problems, name+" is not established")
		default:
			if all := owners(d); len(all) > 1 {
				problems = append(problems, name+" belongs to "+strings.Join(all, " and "))
			}
		}
	}
	if len(problems) > 0 {
		return fails("%s", strings.Join(problems, ", ")), nil
	}
	return holds("%d definitions", len(required)), nil
}

// owners are those that say what a definition is, each by what it leaves: a field manager that has set its versions, or a
// Helm release.
func owners(d *unstructured.Unstructured) []string {
	all := map[string]bool{}
	for _, f := range d.GetManagedFields() {
		if f.Subresource == "" && f.FieldsV1 != nil && strings.Contains(f.FieldsV1.GetRawString(), `"f:versions"`) {
			all[f.Manager] = true
		}
	}
	if release := d.GetAnnotations()["meta.helm.sh/release-name"]; release != "" {
		all["the Helm release "+release] = true
	}
	return slices.Sorted(maps.Keys(all))
}

func conditionTrue(o *unstructured.Unstructured, condition string) bool {
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range conditions {
		if c, ok := c.(map[string]any); ok && c["type"] == condition && c["status"] == "True" {
			return true
		}
	}
	return false
}

// certManager is asked to admit a Certificate, which it does when its webhook works and its definitions are its own.
func (i *inspector) certManager(ctx context.Context) (found, error) {
	certificate := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": map[string]any{"name": "handover-check"},
		"spec": map[string]any{
			"secretName": "handover-check", "dnsNames": []any{"handover-check." + i.out.Namespace + ".svc"},
			"issuerRef": map[string]any{"name": "controlplane-issuer", "kind": "Issuer", "group": "cert-manager.io"},
		},
	}}
	_, err := i.dynamic.Resource(certificatesResource).Namespace(i.out.Namespace).Create(ctx, certificate, dryRun)
	if err != nil {
		return found{}, err
	}
	return holds("its webhook answers"), nil
}

// trustManager reads the sources of bundles where the Control Plane's authority is.
func (i *inspector) trustManager(ctx context.Context) (found, error) {
	selected := metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=trust-manager"}
	list, err := i.client.AppsV1().Deployments("").List(ctx, selected)
	if err != nil {
		return found{}, err
	}
	if len(list.Items) != 1 {
		return fails("%d Deployments of trust-manager", len(list.Items)), nil
	}
	d := list.Items[0]
	if d.Status.AvailableReplicas == 0 {
		return fails("Deployment %s/%s has no pod that works", d.Namespace, d.Name), nil
	}
	if want := "--trust-namespace=" + i.out.Namespace; !slices.Contains(d.Spec.Template.Spec.Containers[0].Args, want) {
		return fails("Deployment %s/%s runs without %s", d.Namespace, d.Name, want), nil
	}
	bundle, err := i.dynamic.Resource(bundlesResource).Get(ctx, i.out.TrustBundle, metav1.GetOptions{})
	if err != nil {
		return found{}, err
	}
	if !conditionTrue(bundle, "Synced") {
		return fails("Bundle %s is not synced", i.out.TrustBundle), nil
	}
	return i.trustInNamespace(ctx)
}

// trustInNamespace is there once the overlay, or somebody else, has asked for it.
func (i *inspector) trustInNamespace(ctx context.Context) (found, error) {
	ns, err := i.client.CoreV1().Namespaces().Get(ctx, i.out.Namespace, metav1.GetOptions{})
	if err != nil {
		return found{}, err
	}
	key, value, _ := strings.Cut(i.out.TrustBundleLabel, "=")
	if ns.Labels[key] != value {
		return holds("Bundle %s is synced; the overlay asks for it in %s", i.out.TrustBundle, i.out.Namespace), nil
	}
	bundle, err := i.client.CoreV1().ConfigMaps(i.out.Namespace).Get(ctx, i.out.TrustBundle, metav1.GetOptions{})
	if err != nil {
		return found{}, err
	}
	if bundle.Data[i.out.TrustBundleKey] == "" {
		return fails("ConfigMap %s has no key %s", i.out.TrustBundle, i.out.TrustBundleKey), nil
	}
	return holds("Bundle %s is in %s", i.out.TrustBundle, i.out.Namespace), nil
}

// controlPlanePKI is made by the Control Plane's manifests, but for the issuer of an external authority.
func (i *inspector) controlPlanePKI(ctx context.Context) (found, error) {
	ours := []string{}
	for _, o := range []struct {
		resource        schema.GroupVersionResource
		namespace, name string
		ours            bool
	}{
		{issuersResource, i.out.Namespace, "controlplane-bootstrap-issuer", false},
		{certificatesResource, i.out.Namespace, "controlplane-root-ca", false},
		{issuersResource, i.out.Namespace, "controlplane-issuer", i.out.ControlPlaneIssuer},
		{bundlesResource, "", "controlplane-trust-bundle", false},
	} {
		object, err := i.dynamic.Resource(o.resource).Namespace(o.namespace).Get(ctx, o.name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err) && o.ours:
			ours = append(ours, o.name+" is missing, which the stack is to provide")
		case apierrors.IsNotFound(err):
		case err != nil:
			return found{}, err
		case !o.ours && ofPulumi(object):
			ours = append(ours, object.GetKind()+" "+o.name+" was made by Pulumi")
		}
	}
	if len(ours) > 0 {
		return fails("%s", strings.Join(ours, ", ")), nil
	}
	if i.out.ControlPlaneIssuer {
		return holds("Issuer controlplane-issuer is the stack's, as configured"), nil
	}
	return holds("none is of the stack"), nil
}

// ofPulumi tells whether Pulumi has made an object, as its field manager says.
func ofPulumi(o *unstructured.Unstructured) bool {
	return slices.ContainsFunc(o.GetManagedFields(), func(f metav1.ManagedFieldsEntry) bool {
		return strings.HasPrefix(f.Manager, "pulumi")
	})
}
