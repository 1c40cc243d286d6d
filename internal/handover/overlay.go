package handover

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/version"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/resid"
	"sigs.k8s.io/yaml"
)

// partLabel is on the pods of a part: what concerns them all, such as budgets, needs no label of the Control Plane's.
const partLabel = "controlplane.io/part"

const (
	// trustVolume has the platform's trusted certificates, at trustPath. Go programs read the certificates of each
	// directory in SSL_CERT_DIR beside those that their image brings.
	trustVolume = "platform-trust"
	trustPath   = "/var/run/secrets/platform-trust"
	certDirs    = "/etc/ssl/certs:" + trustPath
)

// tokenVolume has the token that the File Manager shows to AWS, at tokenPath. Releases bring one of their own, at different
// paths.
const (
	tokenVolume = "platform-bucket-token"
	tokenPath   = "/var/run/secrets/platform-bucket"
)

// trustedIssuers is the variable of those whose tokens a server accepts. Without it none starts.
const trustedIssuers = "LISTENERS_EXTERNAL_JWT_TRUSTEDISSUERS"

// images is where the Control Plane's come from.
const images = "ghcr.io/telekom/controlplane/"

// file is one of the handover's, by its path in the directory.
type file struct {
	path string
	data []byte
	// secret files are for their owner's eyes only.
	secret bool
}

// overlay collects the files of the kustomization.
type overlay struct {
	out   *Outputs
	opt   Options
	files []file
	kust  types.Kustomization
	err   error
}

// newOverlay writes the overlay for a kustomization in the directory from.
func newOverlay(out *Outputs, opt Options, from string) ([]file, error) {
	bases, err := opt.bases(from)
	if err != nil {
		return nil, err
	}
	o := &overlay{out: out, opt: opt, kust: types.Kustomization{
		TypeMeta:  types.TypeMeta{APIVersion: types.KustomizationVersion, Kind: types.KustomizationKind},
		Namespace: out.Namespace,
		Resources: bases,
	}}
	o.environment()
	o.namespace()
	o.secretManager()
	o.fileManager()
	o.issuer()
	o.restricted()
	for _, p := range opt.used() {
		o.deployment(p)
		o.ingress(p)
		o.image(p)
	}
	o.budgets()
	o.networkPolicies()
	o.add("kustomization.yaml", o.kust)
	return o.files, o.err
}

// add writes objects, one document each.
func (o *overlay) add(name string, objects ...any) {
	var documents []string
	for _, object := range objects {
		data, err := yaml.Marshal(object)
		if err != nil && o.err == nil {
			o.err = fmt.Errorf("%s: %w", name, err)
		}
		documents = append(documents, string(data))
	}
	o.files = append(o.files, file{path: "overlay/" + name, data: []byte(strings.Join(documents, "---\n"))})
}

// patch merges a file into what a kind and a regular expression of names select. It selects nothing in a release without.
func (o *overlay) patch(kind, name, path string, object any) {
	o.add(path, object)
	o.kust.Patches = append(o.kust.Patches, types.Patch{Path: path, Target: target(kind, name)})
}

func target(kind, name string) *types.Selector {
	return &types.Selector{ResId: resid.ResId{Gvk: resid.Gvk{Kind: kind}, Name: name}}
}

// environment is what servers and operators read from environment variables, a ConfigMap for each.
func (o *overlay) environment() {
	generate := func(name string, literals ...string) {
		o.kust.ConfigMapGenerator = append(o.kust.ConfigMapGenerator, types.ConfigMapArgs{GeneratorArgs: types.GeneratorArgs{
			Name: name, KvPairSources: types.KvPairSources{LiteralSources: literals},
		}})
	}
	// What is optional in the Control Plane is off; its components for it switch it on in this very map.
	generate("controlplane-env",
		"FEATURE_PUBSUB_ENABLED=false", "FEATURE_PERMISSION_ENABLED=false", "FEATURE_AI_GATEWAY_ENABLED=false")
	issuers := trustedIssuers + "=" + o.out.TrustedIssuers
	generate("rover-server-env", issuers)
	if !o.opt.WithoutAPI {
		generate("api-env", issuers)
		if o.out.zonal() {
			generate("projector-env", "LEADER_ELECTION=true")
		}
	}
	if o.out.S3Endpoint != "" {
		generate("file-manager-env", "AWS_REGION="+o.out.S3Region)
	}
	generate("notification-env", o.mail()...)
}

// mail tells the notifications where they go, or that they go nowhere.
func (o *overlay) mail() []string {
	smtp := o.opt.SMTP
	if smtp == nil {
		return []string{"SMTPSENDER_DRYRUN=true"}
	}
	port := smtp.Port
	if port == 0 {
		port = 587
	}
	return []string{
		"SMTPCONNECTION_HOST=" + smtp.Host, fmt.Sprintf("SMTPCONNECTION_PORT=%d", port),
		"SMTPSENDER_DEFAULTFROM=" + smtp.From, "SMTPSENDER_DRYRUN=false",
	}
}

// namespace asks for the platform's trusted certificates, and says what the stack says where both sides would say something
// else: nobody undoes then what the other does.
func (o *overlay) namespace() {
	key, value, _ := strings.Cut(o.out.TrustBundleLabel, "=")
	o.patch("Namespace", o.out.Namespace, "namespace.yaml", map[string]any{
		"apiVersion": "v1", "kind": "Namespace",
		"metadata": map[string]any{"name": o.out.Namespace, "labels": map[string]any{
			key: value, "app.kubernetes.io/managed-by": "pulumi",
		}},
	})
}

// settings replace the file config.yaml of a ConfigMap.
func (o *overlay) settings(name string, content map[string]any) {
	data, err := yaml.Marshal(content)
	if err != nil && o.err == nil {
		o.err = err
	}
	o.patch("ConfigMap", name, name+".yaml", map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": name},
		"data": map[string]any{"config.yaml": string(data)},
	})
}

// secretManager keeps secrets in the cluster. The platform brings no other store for them.
func (o *overlay) secretManager() {
	o.settings("secret-manager-config", map[string]any{"backend": map[string]any{"type": "kubernetes"}})
}

// fileManager keeps files in the platform's bucket.
func (o *overlay) fileManager() {
	if o.out.S3Endpoint == "" {
		return
	}
	// insecure_skip_tls would mean plain HTTP. The authority of a server in the cluster is in the trust bundle.
	backend := map[string]any{
		"type": "buckets", "endpoint": o.out.S3Endpoint, "bucket_name": o.out.S3Bucket, "insecure_skip_tls": false,
	}
	if o.out.S3CredentialsSecretName == "" {
		backend["role_arn"], backend["sts_endpoint"] = o.out.S3RoleARN, o.out.S3STSEndpoint
		backend["token_path"] = tokenPath + "/token"
	}
	o.settings("file-manager-config", map[string]any{"backend": backend})
}

// issuer has an authority from outside take the place of the Control Plane's own.
func (o *overlay) issuer() {
	if !o.out.ControlPlaneIssuer {
		return
	}
	for _, object := range []struct{ kind, name string }{
		{"Issuer", "controlplane-bootstrap-issuer"}, {"Certificate", "controlplane-root-ca"}, {"Issuer", "controlplane-issuer"},
	} {
		o.patch(object.kind, object.name, "without-"+strings.ToLower(object.kind)+"-"+object.name+".yaml", map[string]any{
			"apiVersion": "cert-manager.io/v1", "kind": object.kind, "metadata": map[string]any{"name": object.name}, "$patch": "delete",
		})
	}
	o.patch("Bundle", "controlplane-trust-bundle", "trust-bundle.yaml", map[string]any{
		"apiVersion": "trust.cert-manager.io/v1alpha1", "kind": "Bundle", "metadata": map[string]any{"name": "controlplane-trust-bundle"},
		"spec": map[string]any{"sources": []any{map[string]any{
			"configMap": map[string]any{"name": o.out.TrustBundle, "key": o.out.TrustBundleKey},
		}}},
	})
}

// restricted is what the namespace's Pod Security level wants of every pod, and not every release says.
func (o *overlay) restricted() {
	o.patch("Deployment", "", "restricted.yaml", map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "any"},
		"spec": map[string]any{"template": map[string]any{"spec": map[string]any{"securityContext": map[string]any{
			"runAsNonRoot": true, "seccompProfile": map[string]any{"type": "RuntimeDefault"},
		}}}},
	})
}

// ingress gives a server its host name.
func (o *overlay) ingress(p part) {
	if p.ingress == "" {
		return
	}
	patch := "- op: replace\n  path: /spec/rules/0/host\n  value: " + p.host(o.opt) + "\n"
	o.kust.Patches = append(o.kust.Patches, types.Patch{Patch: patch, Target: target("Ingress", p.ingress)})
}

// host is the public name of a server.
func (p part) host(opt Options) string { return p.name + "." + opt.Domain }

// image pins a part to the release, and has it come from the platform's mirror where there is one.
func (o *overlay) image(p part) {
	image := types.Image{Name: images + p.name}
	if _, err := version.ParseSemantic(o.opt.Version); err == nil {
		image.NewTag = o.opt.Version
	}
	if o.out.ImageMirror != "" {
		image.NewName = strings.TrimSuffix(o.out.ImageMirror, "/") + "/" + image.Name
	}
	if image.NewTag != "" || image.NewName != "" {
		o.kust.Images = append(o.kust.Images, image)
	}
}
