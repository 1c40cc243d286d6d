package rules

const controlPlaneTargets = `namespace="controlplane-system"`

// controlPlane watches the operators and servers of the Control Plane, which are installed after the platform: without them
// it is silent.
func controlPlane() Group {
	return Group{
		Name: ControlPlane, Namespace: "controlplane-system",
		Alerts: []Alert{
			{
				Name: "ControlPlaneTargetDown", For: "10m", Severity: Warning,
				Expr:    `up{` + controlPlaneTargets + `} == 0`,
				Summary: `Prometheus cannot read the metrics of pod {{ $labels.pod }} of the Control Plane.`,
				Description: "For ten minutes nothing has been known of it: it is down, or cannot be reached. Other alerts of it stay " +
					"silent as long as its metrics are missing.",
			},
			{
				Name: "ControlPlaneDown", For: "5m", Severity: Critical,
				Expr: `kube_deployment_status_replicas_available{` + controlPlaneTargets + `} == 0 and ` +
					`kube_deployment_spec_replicas{` + controlPlaneTargets + `} > 0`,
				Summary:     `Deployment {{ $labels.deployment }} of the Control Plane has no pod that works.`,
				Description: "What it is there for does not happen: users' changes are refused, or have no effect.",
			},
			{
				Name: "ControlPlaneReconcileErrors", For: "15m", Severity: Warning,
				Expr: `sum by (service, controller) (rate(controller_runtime_reconcile_errors_total{` + controlPlaneTargets + `}[5m])) / ` +
					`sum by (service, controller) (rate(controller_runtime_reconcile_total{` + controlPlaneTargets + `}[5m])) > 0.1`,
				Summary:     `{{ $value | humanizePercentage }} of what controller {{ $labels.controller }} does ends with an error.`,
				Description: "Some or all objects of its kind do not become what users asked for.",
			},
			{
				Name: "ControlPlaneReconcilePanics", For: "0m", Severity: Warning,
				Expr:        `increase(controller_runtime_reconcile_panics_total{` + controlPlaneTargets + `}[10m]) > 0`,
				Summary:     `Controller {{ $labels.controller }} in pod {{ $labels.pod }} panics.`,
				Description: "It meets an object that it was not made for. The object stays as it is, and the error belongs to the Control Plane's makers.",
			},
			{
				Name: "ControlPlaneQueueGrowing", For: "15m", Severity: Warning,
				Expr:        `max by (service, name) (workqueue_depth{` + controlPlaneTargets + `}) > 50`,
				Summary:     `{{ $value }} objects wait for controller {{ $labels.name }}.`,
				Description: "Users' changes take effect late. The controller is slow, waits for something, or has too few workers.",
			},
			{
				Name: "ControlPlaneWebhookSlow", For: "10m", Severity: Warning,
				Expr:        quantile(0.95, "controller_runtime_webhook_latency_seconds_bucket", controlPlaneTargets, "webhook") + ` > 2`,
				Summary:     `Webhook {{ $labels.webhook }} of the Control Plane takes longer than {{ $value | humanizeDuration }}.`,
				Description: "The API server waits for it with every change of such objects, and refuses the change after ten seconds.",
			},
		},
	}
}
