package rules

import "fmt"

const (
	irisRequests = `namespace="identity"`
	// irisTokens are the requests for tokens, of every realm. The path before it depends on how Keycloak is built.
	irisTokens = `namespace="identity", uri=~".*/realms/.+/token"`
	irisEvents = "keycloak_user_events_total"
)

// iris watches the identity provider, which is Keycloak.
func iris(a Args) Group {
	g := Group{Name: Iris, Namespace: "identity"}
	if !a.Iris {
		return g
	}
	g.Records = irisRecords()
	g.Alerts = []Alert{
		targetDown("Iris", "the identity provider", `namespace="identity"`, "identity"),
		{
			Name: "IrisDown", For: "2m", Severity: Critical,
			Expr:        noneWorks(`namespace="identity", deployment="iris"`),
			Summary:     `No server of Iris is ready: nobody gets a token.`,
			Description: "Services cannot authenticate as soon as the tokens that they have expire, which is within minutes.",
		},
		{
			Name: "IrisErrors", For: "5m", Severity: Critical,
			Expr: share("http_server_requests_seconds_count", irisRequests, `outcome="SERVER_ERROR"`, "namespace") + ` > 0.05 and ` +
				`sum by (namespace) (rate(http_server_requests_seconds_count{` + irisRequests + `}[5m])) > 0.1`,
			Summary:     `Iris answers {{ $value | humanizePercentage }} of all requests with an error of its own.`,
			Description: "Logins and tokens fail. It is most often the database, or memory.",
		},
		{
			Name: "IrisTokensSlow", For: "10m", Severity: Warning,
			Expr:        quantile(0.95, "http_server_requests_seconds_bucket", irisTokens, "namespace") + ` > 1`,
			Summary:     `One of twenty requests for a token takes longer than {{ $value | humanizeDuration }} at Iris.`,
			Description: "Calls through gateways wait for tokens. Iris is short of processors, or waits for its database.",
		},
		{
			Name: "IrisLoginFailures", For: "10m", Severity: Warning,
			Expr: share(irisEvents, `namespace="identity"`, `error!=""`, "realm") + ` > 0.5 and ` +
				`sum by (realm) (rate(` + irisEvents + `{namespace="identity", error!=""}[5m])) > 1`,
			Summary: `{{ $value | humanizePercentage }} of all logins and token requests in realm {{ $labels.realm }} fail.`,
			Description: "More than one a second is refused: a secret has been changed on one side only, or somebody " +
				"is guessing passwords.",
		},
		{
			Name: "IrisClusterIncomplete", For: "10m", Severity: Warning,
			Expr:        `min(vendor_cluster_size{namespace="identity"}) < count(up{namespace="identity"} == 1)`,
			Summary:     `A server of Iris knows only {{ $value }} servers of its cluster: they have lost each other.`,
			Description: "Sessions and the caches of realms differ from server to server: logins fail at random, changes seem to be lost.",
		},
		{
			Name: "IrisDatabaseConnectionsExhausted", For: "5m", Severity: Warning,
			Expr:        `agroal_awaiting_count{namespace="identity"} > 0`,
			Summary:     `Requests wait in {{ $labels.pod }} for one of its connections to the database.`,
			Description: "All of its connections are in use: the database is slow, or there is more load than servers.",
		},
	}
	return g
}

// irisRecords are what dashboards show of logins and tokens.
func irisRecords() []Record {
	records := []Record{
		{Name: "realm_event:iris_logins:rate5m", Expr: `sum by (realm, event) (rate(` + irisEvents + `{namespace="identity", error=""}[5m]))`},
		{Name: "realm_event:iris_login_failures:rate5m", Expr: `sum by (realm, event, error) (rate(` + irisEvents + `{namespace="identity", error!=""}[5m]))`},
		{Name: "outcome:iris_token_requests:rate5m", Expr: `sum by (outcome) (rate(http_server_requests_seconds_count{` + irisTokens + `}[5m]))`},
	}
	for _, q := range []int{50, 95, 99} {
		records = append(records, Record{
			Name: fmt.Sprintf("namespace:iris_token_seconds:p%d_5m", q),
			Expr: quantile(float64(q)/100, "http_server_requests_seconds_bucket", irisTokens, "namespace"),
		})
	}
	return records
}

// quantile of a histogram's series, over five minutes and by labels.
func quantile(q float64, buckets, matchers, by string) string {
	return fmt.Sprintf(`histogram_quantile(%v, sum by (%s, le) (rate(%s{%s}[5m])))`, q, by, buckets, matchers)
}
