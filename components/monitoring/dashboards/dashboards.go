package dashboards

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/telekom/controlplane-infrastructure/internal/mesh"
)

// The object storages there are.
const (
	MinIO = "minio"
	// S3 has no dashboard: its metrics are with AWS.
	S3 = "s3"
)

// Args say what there is to show. The zero value is a cluster with certificates, Kubernetes and the monitoring alone.
type Args struct {
	// PostgreSQL, Valkey and Iris tell whether the platform has them.
	PostgreSQL, Valkey, Iris bool
	// Backups tells whether databases are saved, and Pooler whether there is one in front of a database.
	Backups, Pooler bool
	// ObjectStorage is MinIO or S3; empty: there is none.
	ObjectStorage string
	// Ingress tells whether Traefik is there, as ours.
	Ingress bool
	// Mesh is the service mesh; None and the zero value: there is none.
	Mesh mesh.Kind
	// NodeExporter and Etcd tell whether their metrics are there.
	NodeExporter, Etcd bool
}

// Check reports what cannot work.
func (a Args) Check() error {
	var problems []error
	switch a.ObjectStorage {
	case "", MinIO, S3:
	default:
		problems = append(problems, fmt.Errorf("the ObjectStorage is %q: allowed are %s, %s, or none", a.ObjectStorage, MinIO, S3))
	}
	switch a.Mesh {
	case "", mesh.None, mesh.Istio, mesh.Linkerd:
	default:
		problems = append(problems, fmt.Errorf("the Mesh is %q: allowed are %s, %s and %s", a.Mesh, mesh.None, mesh.Istio, mesh.Linkerd))
	}
	if (a.Backups || a.Pooler) && !a.PostgreSQL {
		problems = append(problems, errors.New("of Backups and Pooler there is none without a database: they need PostgreSQL"))
	}
	return errors.Join(problems...)
}

// meshed reports whether there is a service mesh.
func (a Args) meshed() bool { return a.Mesh == mesh.Istio || a.Mesh == mesh.Linkerd }

// Folder is where Grafana shows the dashboards.
const Folder = "Platform"

// OverviewUID is the overview's, which is a good home page.
const OverviewUID = "platform-overview"

// Dashboard is one in the form that Grafana reads.
type Dashboard struct {
	// Folder and Title are what people see, UID is in the address and never changes.
	Folder, UID, Title string
	// JSON is the same for the same Args, byte by byte.
	JSON []byte
}

// kind is a dashboard that there can be.
type kind struct {
	uid, title string
	// component is the one whose health it explains, as the label component of recordings names it.
	component string
	present   bool
	fill      func(*board, Args)
}

// kinds are all dashboards but the overview, in the order of its links: what users touch first.
func kinds(a Args) []kind {
	return []kind{
		{"platform-ingress", "Ingress", "ingress", a.Ingress, ingress},
		{"platform-iris", "Iris", "iris", a.Iris, iris},
		{"platform-operators", "Control Plane operators", controlPlane, true, operators},
		{"platform-postgresql", "PostgreSQL", "postgresql", a.PostgreSQL, postgresql},
		{"platform-valkey", "Valkey", "valkey", a.Valkey, valkey},
		{"platform-object-storage", "Object storage", "objectstorage", a.ObjectStorage == MinIO, objectStorage},
		{"platform-certificates", "Certificates", "certificates", true, certificates},
		{"platform-mesh", "Service mesh", "mesh", a.meshed(), serviceMesh},
		{"platform-kubernetes", "Kubernetes", "kubernetes", true, kubernetes},
		{"platform-nodes", "Nodes", "nodes", true, nodes},
		{"platform-prometheus", "Prometheus", "monitoring", true, prometheusItself},
	}
}

// present are the dashboards of an installation, without the overview.
func present(a Args) []kind {
	var all []kind
	for _, k := range kinds(a) {
		if k.present {
			all = append(all, k)
		}
	}
	return all
}

// All are the dashboards of an installation, the overview first.
func All(a Args) ([]Dashboard, error) {
	if err := a.Check(); err != nil {
		return nil, err
	}
	overviewKind := kind{uid: OverviewUID, title: "Platform overview", fill: overview}
	var all []Dashboard
	for _, k := range append([]kind{overviewKind}, present(a)...) {
		b := newBoard(k)
		k.fill(b, a)
		built, err := b.build()
		if err != nil {
			return nil, fmt.Errorf("build the dashboard %q: %w", k.title, err)
		}
		content, err := json.Marshal(built)
		if err != nil {
			return nil, fmt.Errorf("encode the dashboard %q: %w", k.title, err)
		}
		all = append(all, Dashboard{Folder: Folder, UID: k.uid, Title: k.title, JSON: content})
	}
	return all, nil
}
