package rules

const (
	traefikRequests = "traefik_service_requests_total"
	traefikEntries  = "traefik_entrypoint_requests_total"
	traefikTargets  = `namespace="ingress"`
	serverError     = `code=~"5.."`
	byService       = "exported_service"
)

// ingress watches Traefik. Its own label service names a backend; Prometheus keeps that in exported_service.
func ingress(a Args) Group {
	g := Group{Name: Ingress, Namespace: "ingress"}
	if a.Ingress != Traefik {
		return g
	}
	g.Records = []Record{
		{Name: "exported_service:ingress_requests:rate5m", Expr: `sum by (exported_service) (rate(` + traefikRequests + `{` + traefikTargets + `}[5m]))`},
		{Name: "exported_service:ingress_errors:ratio_rate5m", Expr: share(traefikRequests, traefikTargets, serverError, byService)},
		{Name: "exported_service:ingress_seconds:p95_5m", Expr: quantile(0.95, "traefik_service_request_duration_seconds_bucket", traefikTargets, byService)},
		{Name: "code:ingress_requests:rate5m", Expr: `sum by (code) (rate(` + traefikEntries + `{` + traefikTargets + `}[5m]))`},
	}
	g.Alerts = []Alert{
		targetDown("Ingress", "the ingress controller", traefikTargets, "ingress"),
		{
			Name: "IngressDown", For: "2m", Severity: Critical,
			Expr:        noneWorks(`namespace="ingress", deployment="traefik"`),
			Summary:     `No server of Traefik is ready: nothing in the cluster can be reached from outside.`,
			Description: "Every request from outside fails, to Iris as to the Control Plane.",
		},
		{
			Name: "IngressErrors", For: "5m", Severity: Critical,
			Expr: share(traefikEntries, traefikTargets, serverError, "namespace") + ` > 0.1 and ` +
				`sum by (namespace) (rate(` + traefikEntries + `{` + traefikTargets + `}[5m])) > 0.5`,
			Summary:     `{{ $value | humanizePercentage }} of all requests from outside are answered with an error of the platform.`,
			Description: "Users see errors 500 to 599, of the ingress controller or of what is behind it.",
		},
		{
			Name: "IngressServiceErrors", For: "10m", Severity: Warning,
			Expr: share(traefikRequests, traefikTargets, serverError, byService) + ` > 0.05 and ` +
				`sum by (exported_service) (rate(` + traefikRequests + `{` + traefikTargets + `}[5m])) > 0.1`,
			Summary:     `{{ $value | humanizePercentage }} of the requests to {{ $labels.exported_service }} are answered with a server's error.`,
			Description: "Users of this one backend see errors of its own, with codes from 500 on.",
		},
		{
			Name: "IngressSlow", For: "15m", Severity: Warning,
			Expr: quantile(0.95, "traefik_service_request_duration_seconds_bucket", traefikTargets, byService) + ` > 2 and ` +
				`sum by (exported_service) (rate(` + traefikRequests + `{` + traefikTargets + `}[5m])) > 0.1`,
			Summary:     `One of twenty requests to {{ $labels.exported_service }} takes longer than {{ $value | humanizeDuration }}.`,
			Description: "Users wait. The backend is slow, or does not get the processors that it needs.",
		},
		{
			Name: "IngressConfigurationStale", For: "15m", Severity: Warning,
			// A server that has been there for less than that may have missed what the others were told before.
			Expr: `increase(traefik_config_reloads_total{` + traefikTargets + `}[30m]) == 0 ` +
				`and traefik_config_reloads_total{` + traefikTargets + `} offset 30m and on (namespace) ` +
				`max by (namespace) (increase(traefik_config_reloads_total{` + traefikTargets + `}[30m])) > 2`,
			Summary:     `Traefik server {{ $labels.pod }} does not take over changes that others have.`,
			Description: "It leads requests to pods that are gone, and knows nothing of new hosts. It may have lost the API server.",
		},
		{
			Name: "IngressCertificateExpires", For: "15m", Severity: Critical,
			Expr:        `min by (cn, sans) (traefik_tls_certs_not_after{` + traefikTargets + `}) - time() < 2 * 86400`,
			Summary:     `Traefik serves a certificate for {{ or $labels.sans $labels.cn }} that expires in {{ $value | humanizeDuration }}.`,
			Description: "Browsers and clients refuse the connection when it expires. It may have been renewed, but not read.",
		},
	}
	return g
}
