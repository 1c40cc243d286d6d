package config

// CRDPolicy says who owns custom resource definitions.
type CRDPolicy string

const (
	// CRDsInstall has this stack install and own them.
	CRDsInstall CRDPolicy = "install"
	// CRDsExisting expects them on the cluster, with another owner.
	CRDsExisting CRDPolicy = "existing"
)

// MonitoringStack says who runs Prometheus and what belongs to it.
type MonitoringStack string

const (
	// MonitoringInstall has this stack install and own it.
	MonitoringInstall MonitoringStack = "install"
	// MonitoringExisting expects it on the cluster, with another owner.
	MonitoringExisting MonitoringStack = "existing"
)

// Monitoring configures the monitoring component. Prometheus, Alertmanager,
// Alerts, Exporters and Grafana are nil with another owner, and never nil
// otherwise.
type Monitoring struct {
	// Who owns the custom resource definitions of the Prometheus operator: `install` installs them; `existing` expects them on the cluster, as where a Prometheus operator already runs. Unless stack is existing too, that operator must leave the namespace monitoring alone (`--deny-namespaces`), or two would undo each other's work.
	CustomResourceDefinitions CRDPolicy `json:"customResourceDefinitions,omitempty" jsonschema:"enum=install,enum=existing,default=install"`
	// Who runs Prometheus, Alertmanager, Grafana and the exporters: `install` installs them; with `existing` they have another owner, and whatever runs in namespaces with the label `metrics: enabled` may scrape the platform.
	Stack MonitoringStack `json:"stack,omitempty" jsonschema:"enum=install,enum=existing,default=install"`
	// The operator that makes Prometheus and Alertmanager of their custom resources. Only with stack install.
	Operator *PrometheusOperator `json:"operator,omitempty"`
	// Prometheus, which collects metrics and evaluates rules. Only with stack install.
	Prometheus *Prometheus `json:"prometheus,omitempty"`
	// Alertmanager, which tells people of alerts. Only with stack install.
	Alertmanager *Alertmanager `json:"alertmanager,omitempty"`
	// The alerts. Only with stack install.
	Alerts *Alerts `json:"alerts,omitempty"`
	// What exports metrics of the cluster and its nodes. Only with stack install.
	Exporters *Exporters `json:"exporters,omitempty"`
	// Grafana, which shows metrics. Only with stack install.
	Grafana *Grafana `json:"grafana,omitempty"`
}

// Installed says whether this stack runs Prometheus and what belongs to it.
func (m Monitoring) Installed() bool { return m.Stack != MonitoringExisting }

// ShowsGrafana says whether this stack runs Grafana.
func (m Monitoring) ShowsGrafana() bool {
	return m.Installed() && m.Grafana != nil && m.Grafana.Enabled
}

// PrometheusOperator configures the Prometheus operator. Its images are of one
// release.
type PrometheusOperator struct {
	// Image of the operator.
	Image string `json:"image,omitempty" jsonschema:"format=image,default=quay.io/prometheus-operator/prometheus-operator:v0.93.1"`
	// Image of the webhook that checks rules before they are stored.
	WebhookImage string `json:"webhookImage,omitempty" jsonschema:"format=image,default=quay.io/prometheus-operator/admission-webhook:v0.93.1"`
	// Image of what has Prometheus and Alertmanager read a new configuration.
	ReloaderImage string `json:"reloaderImage,omitempty" jsonschema:"format=image,default=quay.io/prometheus-operator/prometheus-config-reloader:v0.93.1"`
	// Namespaces in which the operator may also read Secrets, because monitors there name some, such as passwords of what is scraped. They must exist.
	SecretNamespaces []string `json:"secretNamespaces,omitempty" jsonschema:"format=dns-label,minItems=1,uniqueItems=true" jsonschema_extras:"x-derived=none but monitoring"`
}

// Severity says how urgent an alert is.
type Severity string

const (
	// SeverityCritical means that a person must act now.
	SeverityCritical Severity = "critical"
	// SeverityWarning means that a person should act during working hours.
	SeverityWarning Severity = "warning"
	// SeverityInfo means that it is good to know.
	SeverityInfo Severity = "info"
)

// severities are all there are, the most urgent first.
var severities = []string{string(SeverityCritical), string(SeverityWarning), string(SeverityInfo)}

// Alerts changes the alerts that the platform brings.
type Alerts struct {
	// Names of alerts that are left out.
	Disabled []string `json:"disabled,omitempty" jsonschema:"uniqueItems=true,minItems=1,example=NodeMemoryLow"`
	// Severities of alerts by their names, where they differ from what the alerts bring: `critical` when a person must act now, `warning` when it can wait for working hours, `info` when it is only good to know.
	Severity map[string]Severity `json:"severity,omitempty"`
	// Where runbooks are: the link in an alert is this with the alert's name and `.md` behind it.
	RunbookBaseURL string `json:"runbookBaseUrl,omitempty" jsonschema:"format=http-url,default=https://github.com/telekom/controlplane-infrastructure/blob/main/docs/runbooks/"`
}
