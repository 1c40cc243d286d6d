package config

// CRDPolicy says who owns custom resource definitions.
type CRDPolicy string

const (
	// CRDsInstall has this stack install and own them.
	CRDsInstall CRDPolicy = "install"
	// CRDsExisting expects them on the cluster, with another owner.
	CRDsExisting CRDPolicy = "existing"
)

// Monitoring configures the monitoring component.
type Monitoring struct {
	// Who owns the custom resource definitions of the Prometheus operator: `install` installs them; `existing` expects them on the cluster, as where a Prometheus operator already runs.
	CustomResourceDefinitions CRDPolicy `json:"customResourceDefinitions,omitempty" jsonschema:"enum=install,enum=existing,default=install"`
}
