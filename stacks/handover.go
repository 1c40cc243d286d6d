package stacks

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	corev1 "k8s.io/api/core/v1"

	"github.com/telekom/controlplane-infrastructure/components/certtrust"
	"github.com/telekom/controlplane-infrastructure/components/identity"
	"github.com/telekom/controlplane-infrastructure/components/storage"
	"github.com/telekom/controlplane-infrastructure/components/storage/valkey"
	"github.com/telekom/controlplane-infrastructure/internal/mesh"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

// handoverOutputs tell whoever installs the Control Plane how its own pods have to run here: as many, as large and as
// spread out as the platform's, and reachable for what leads to them.
func (s *stack) handoverOutputs(store *storage.Storage, iris *iris) pulumi.Map {
	outputs := pulumi.Map{
		"availability":    pulumi.String(s.cfg.Availability),
		"mesh":            pulumi.String(string(s.meshKind())),
		"resourceClasses": classOutputs(s.classes()),
		// Of an external authority only the issuer is made here; the Control Plane must then not make its own.
		"controlPlaneIssuer": pulumi.Bool(s.cfg.CertTrust.ControlPlaneIssuer != nil),
		"secretNames": pulumi.StringMap{
			"redis":     pulumi.String(valkey.Namespace + "/" + store.Cache.SecretName),
			"irisAdmin": pulumi.String(identity.Namespace + "/" + iris.AdminSecret),
		},
	}
	if _, issuer, found := strings.Cut(s.cfg.Cluster.OIDCProviderARN, ":oidc-provider/"); found {
		outputs["clusterOidcIssuer"] = pulumi.String("https://" + issuer)
	}
	if namespace := s.ingressController().Namespace; namespace != "" {
		outputs["ingressNamespace"] = pulumi.String(namespace)
	}
	if mirror := s.cfg.Artifacts.ImageMirror; mirror != "" {
		outputs["imageMirror"] = pulumi.String(mirror)
	}
	return outputs
}

// meshKind is the mesh that the Control Plane's pods take part in.
func (s *stack) meshKind() mesh.Kind {
	if m := s.mesh(); m.Enrolled(certtrust.ControlPlaneNamespace) {
		return m.Kind
	}
	return mesh.None
}

// classOutputs are what the containers of each class reserve and may use.
func classOutputs(classes workload.Classes) pulumi.Map {
	amounts := func(list corev1.ResourceList) pulumi.StringMap {
		return pulumi.StringMap{"cpu": pulumi.String(list.Cpu().String()), "memory": pulumi.String(list.Memory().String())}
	}
	all := pulumi.Map{}
	for name, class := range classes {
		all[string(name)] = pulumi.Map{"requests": amounts(class.Requests), "limits": amounts(class.Limits)}
	}
	return all
}
