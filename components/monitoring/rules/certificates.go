package rules

const (
	// overdue holds for certificates that should have been renewed an hour ago. Short-lived ones are always about to expire.
	overdue = ` and time() - certmanager_certificate_renewal_timestamp_seconds > 3600`

	untilExpiry = `certmanager_certificate_expiration_timestamp_seconds - time()`
	certificate = `Certificate {{ $labels.name }} in namespace {{ $labels.exported_namespace }}`
)

// certificates watches cert-manager and trust-manager. cert-manager's own label namespace is that of its pods, and the
// objects' namespace is in exported_namespace.
func certificates() Group {
	return Group{Name: Certificates, Namespace: "cert-manager", Alerts: []Alert{
		targetDown("Certificate", "cert-manager and trust-manager", `namespace="cert-manager"`, "cert-manager"),
		{
			Name: "CertificateExpiresSoon", For: "15m", Severity: Warning,
			Expr:    untilExpiry + ` < 14 * 86400` + overdue,
			Summary: certificate + ` expires in {{ $value | humanizeDuration }} and has not been renewed.`,
			Description: "Its renewal is overdue. Nothing is harmed yet; connections to what it belongs to fail " +
				"when it expires.",
		},
		{
			Name: "CertificateExpiresWithinDays", For: "15m", Severity: Critical,
			Expr:        untilExpiry + ` < 3 * 86400` + overdue,
			Summary:     certificate + ` expires in {{ $value | humanizeDuration }}; its renewal keeps failing.`,
			Description: "When it expires, every client that verifies it is refused. It has to be renewed before, by hand if need be.",
		},
		{
			Name: "CertificateNotReady", For: "15m", Severity: Warning,
			Expr:        `certmanager_certificate_ready_status{condition="True"} == 0`,
			Summary:     certificate + ` has not been issued for 15 minutes.`,
			Description: "What needs its Secret does not start, or goes on with the certificate of before until that expires.",
		},
		{
			Name: "CertificateIssuerNotReady", For: "10m", Severity: Warning,
			Expr: `certmanager_clusterissuer_ready_status{condition="True"} == 0 or ` +
				`certmanager_issuer_ready_status{condition="True"} == 0`,
			Summary: `Issuer {{ $labels.name }}{{ with $labels.exported_namespace }} in namespace {{ . }}{{ end }} ` +
				`cannot issue certificates.`,
			Description: "No certificate of it is issued or renewed until it is ready again.",
		},
		{
			Name: "CertificateManagerDown", For: "10m", Severity: Warning,
			Expr:    `kube_deployment_status_replicas_available{namespace="cert-manager"} == 0`,
			Summary: `Deployment {{ $labels.deployment }} in namespace cert-manager has no pod that works.`,
			Description: "Certificates are not issued or renewed, or changes of certificates, issuers and bundles are refused. " +
				"Those that are there go on to work until they expire.",
		},
		{
			Name: "CertificateTrustBundleFailing", For: "30m", Severity: Warning,
			Expr: `sum by (service, controller) (rate(controller_runtime_reconcile_errors_total{namespace="cert-manager"}[10m])) > 0`,
			Summary: `Controller {{ $labels.controller }} of {{ $labels.service }} keeps failing: trust bundles may be missing ` +
				`in namespaces.`,
			Description: "Pods in new namespaces wait for the ConfigMap with the trust bundle, and a new authority does not reach " +
				"those that have it.",
		},
	}}
}
