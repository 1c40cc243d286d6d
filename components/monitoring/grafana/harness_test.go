package grafana_test

import (
	"fmt"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/grafana"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/flow/flowtest"
	"github.com/telekom/controlplane-infrastructure/internal/local"
	"github.com/telekom/controlplane-infrastructure/internal/local/localtest"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/namespace"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

const (
	hostname = "grafana.example.com"
	// #nosec G101 -- of nothing that exists
	databasePassword, clientSecret = "database # password; of a test", "client-secret-of-a-test"
)

// cluster is a control plane for all tests of the package.
var cluster *local.ControlPlane

func TestMain(m *testing.M) { localtest.Main(m, &cluster) }

// single is one replica with a volume, which nobody outside of the cluster reaches.
func single() grafana.Args {
	return grafana.Args{
		// Not the image's own name: its pods are to be simulated.
		Image: "registry.example.com/grafana:12.3.1", Replicas: 1, Volume: part.Volume{Size: "1Gi"}, AdminUser: "admin",
		PrometheusURL: names.URL(names.Prometheus, names.PrometheusPort), AlertmanagerURL: names.URL(names.Alertmanager, names.AlertmanagerPort), ScrapeInterval: "30s",
		Dashboards: []grafana.Dashboard{
			dashboard("Platform", "overview", "Overview"), dashboard("Control Plane", "operators", "Operators"),
			dashboard("Platform", "certificates", "Certificates"),
		},
	}
}

// zonal is all that there can be.
func zonal() grafana.Args {
	a := single()
	a.Replicas, a.Volume, a.Hostname, a.Home, a.ServiceMonitor = 2, part.Volume{}, hostname, "overview", true
	a.Database = &grafana.Database{
		Host: pulumi.String("platform-rw.postgresql.svc"), Port: 5432, Name: "grafana", User: "grafana", Password: pulumi.String(databasePassword),
		Pods: flow.Peer{Namespace: "postgresql", Pods: map[string]string{"cnpg.io/cluster": "platform"}},
	}
	a.Ingress = grafana.Ingress{
		ClassName: "traefik", Annotations: map[string]string{"example.com/allow": "10.0.0.0/8"}, Issuer: "letsencrypt",
		Controller: flow.Peer{Namespace: "ingress"}, HTTP01: &flow.Peer{Namespace: "ingress"},
	}
	a.OIDC = &grafana.OIDC{
		RealmURL:         "https://iris.example.com/auth/realms/rover",
		InternalRealmURL: "https://iris.identity.svc:8443/auth/realms/rover",
		ClientID:         "grafana", ClientSecret: pulumi.String(clientSecret),
		Roles: grafana.Roles{Admin: "grafana-admin", Editor: "grafana-editor", Viewer: "grafana-viewer"},
		Pods:  flow.Peer{Namespace: "identity", Pods: map[string]string{"app.kubernetes.io/name": "iris"}},
	}
	return a
}

func dashboard(folder, uid, title string) grafana.Dashboard {
	return grafana.Dashboard{
		Folder: folder, UID: uid, Title: title, JSON: fmt.Appendf(nil, `{"uid":%q,"title":%q,"panels":[]}`, uid, title),
	}
}

// parent is what the objects belong to.
type parent struct{ pulumi.ResourceState }

// program registers the objects in the way of a component, with the namespace that they need.
func program(availability workload.Availability, args grafana.Args) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		common, err := process.Common(ctx, availability)
		if err != nil {
			return err
		}
		generation := args.PasswordGeneration
		args.Common = common
		args.PasswordGeneration = generation
		args.Namespaces = namespace.Plan{Flows: flowtest.Table(args.Flows()...)}
		p := &parent{}
		if err := ctx.RegisterComponentResource("test:index:Monitoring", "monitoring", p); err != nil {
			return err
		}
		reg := args.Registrar(ctx, p)
		ground, err := manifest.Typed(args.Namespaces.Objects(names.Namespace, args.NamespaceLabels())...)
		if err != nil {
			return err
		}
		first, err := reg.Register(ground)
		if err != nil {
			return err
		}
		secrets, err := args.Secrets(ctx, p, "grafana")
		if err != nil {
			return err
		}
		_, err = reg.Step(func() (manifest.Set, error) { return args.Set(secrets) }, first)
		return err
	}
}

// rendered is Grafana with changed arguments.
func rendered(t *testing.T, args grafana.Args, changes ...func(*grafana.Args)) *process.Objects {
	t.Helper()
	for _, change := range changes {
		change(&args)
	}
	availability := workload.Single
	if args.Replicas > 1 {
		availability = workload.Zonal
	}
	return process.Render(t, verify.NewCA(t, "platform"), program(availability, args))
}

func deployment(t *testing.T, o *process.Objects) appsv1.DeploymentSpec {
	t.Helper()
	return process.Decode[appsv1.Deployment](t, o, "Deployment", names.Grafana).Spec
}

// files are all that the container finds, by path: what the volumes of a pod are made of.
func files(t *testing.T, o *process.Objects) map[string]string {
	t.Helper()
	pod := deployment(t, o).Template.Spec
	all := map[string]string{}
	for _, mount := range pod.Containers[0].VolumeMounts {
		for _, v := range pod.Volumes {
			if v.Name == mount.Name {
				for path, content := range contents(t, o, v.VolumeSource) {
					all[mount.MountPath+"/"+path] = content
				}
			}
		}
	}
	return all
}

// contents are the files of a volume.
func contents(t *testing.T, o *process.Objects, v corev1.VolumeSource) map[string]string {
	t.Helper()
	all := map[string]string{}
	add := func(kind, name string, items []corev1.KeyToPath) {
		data := o.Data(kind, name)
		for _, item := range items {
			require.Contains(t, data, item.Key, "%s %s", kind, name)
			all[item.Path] = data[item.Key]
		}
		if len(items) == 0 {
			for key, value := range data {
				all[key] = value
			}
		}
	}
	switch {
	case v.ConfigMap != nil:
		add("ConfigMap", v.ConfigMap.Name, v.ConfigMap.Items)
	case v.Secret != nil:
		add("Secret", v.Secret.SecretName, v.Secret.Items)
	case v.Projected != nil:
		for _, source := range v.Projected.Sources {
			if source.Secret != nil {
				add("Secret", source.Secret.Name, source.Secret.Items)
			} else {
				add("ConfigMap", source.ConfigMap.Name, source.ConfigMap.Items)
			}
		}
	}
	return all
}
