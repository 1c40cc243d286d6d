package config_test

const (
	monitoringAt  = "controlplane:monitoring."
	prometheusFor = "must be a number of years, weeks, days, hours, minutes or seconds, such as 15d or 1w12h"
	noAlert       = "is no alert of the platform; must be the name of one that docs/runbooks has a page for"
)

// prometheus is a Prometheus with the given keys.
func prometheus(keys string) string { return "monitoring: {prometheus: {" + keys + "}}" }

// thanos is a Prometheus that uploads to an object storage with the given keys.
func thanos(keys string) string {
	return prometheus("thanos: {objectStorage: {accessKey: thanos, secretKey: s, " + keys + "}}")
}

var badMonitoring = []badConfiguration{
	// Who owns it.
	{"unknown owner", "monitoring: {stack: exsting}", []string{
		monitoringAt + `stack: "exsting" must be one of install, existing; did you mean "existing"?`}},
	{"keys of what somebody else owns", "monitoring: {stack: existing, prometheus: {replicas: 2}, grafana: {}, alerts: {}, alertmanager: {}, exporters: {}, operator: {}}", []string{
		monitoringAt + "alertmanager: is only allowed with stack install; stack is existing",
		monitoringAt + "alerts: is only allowed with stack install; stack is existing",
		monitoringAt + "exporters: is only allowed with stack install; stack is existing",
		monitoringAt + "grafana: is only allowed with stack install; stack is existing",
		monitoringAt + "operator: is only allowed with stack install; stack is existing",
		monitoringAt + "prometheus: is only allowed with stack install; stack is existing"}},
	{"keys of what a misspelt owner owns", "monitoring: {stack: instal, prometheus: {volume: {size: 5Gi}, retention: {size: 4Gi}}}", []string{
		monitoringAt + `stack: "instal" must be one of install, existing; did you mean "install"?`}},
	{"misspelt section", "monitoring: {alertManager: {}}", []string{
		monitoringAt + `alertManager: is not a key; allowed are alertmanager, alerts, customResourceDefinitions, exporters, grafana, operator, prometheus, stack; did you mean "alertmanager"?`}},
	{"the operator's own namespace", "monitoring: {operator: {secretNamespaces: [shop, monitoring]}}", []string{
		monitoringAt + `operator.secretNamespaces[1]: "monitoring" is the operator's own namespace, whose Secrets it reads anyway; must be left out`}},

	// Prometheus.
	{"Prometheus that moves", prometheus("image: 'quay.io/prometheus/prometheus:latest'"), []string{
		monitoringAt + `prometheus.image: "quay.io/prometheus/prometheus:latest" ` + image}},
	{"Prometheus of another major version", prometheus("image: 'quay.io/prometheus/prometheus:v2.55.1'"), []string{
		monitoringAt + `prometheus.image: "quay.io/prometheus/prometheus:v2.55.1" must have a tag that begins with a version of Prometheus 3, such as v3.13.1: the operator reads it there`}},
	{"Prometheus of no version", prometheus("image: 'quay.io/prometheus/prometheus:main'"), []string{
		monitoringAt + `prometheus.image: "quay.io/prometheus/prometheus:main" must have a tag that begins with a version of Prometheus 3, such as v3.13.1: the operator reads it there`}},
	{"three replicas of Prometheus", prometheus("replicas: 3"), []string{
		monitoringAt + "prometheus.replicas: 3 must be a whole number from 1 to 2"}},
	{"one replica of Prometheus over zones", "availability: zonal\n" + prometheus("replicas: 1"), []string{
		monitoringAt + "prometheus.replicas: 1 must be 2 with controlplane:availability zonal"}},
	{"scrape interval that does not parse", prometheus("scrapeInterval: often"), []string{
		monitoringAt + `prometheus.scrapeInterval: "often" ` + duration}},
	{"scrape interval in days", prometheus("scrapeInterval: 1d"), []string{
		monitoringAt + `prometheus.scrapeInterval: "1d" ` + duration + `; did you mean "24h"?`}},
	{"scrape interval that is too long", prometheus("scrapeInterval: 5m"), []string{
		monitoringAt + `prometheus.scrapeInterval: "5m" must be from 5s to 2m: with less Prometheus mostly collects, and after five minutes without a new sample a series counts as gone`}},
	{"scrape interval of half seconds", prometheus("scrapeInterval: 7500ms"), []string{
		monitoringAt + `prometheus.scrapeInterval: "7.5s" must be a number of whole seconds`}},
	{"request above the limit of Prometheus", prometheus("resources: {requests: {memory: 3Gi}}"), []string{
		monitoringAt + `prometheus.resources.requests.memory: "3Gi" must be at most the limit, which is "2Gi"`}},

	// Retention.
	{"retention larger than the volume", prometheus("retention: {size: 30Gi}"), []string{
		monitoringAt + `prometheus.retention.size: "30Gi" is larger than the volume, whose size is "20Gi"; must be at most "17Gi", 85 % of it`}},
	{"retention larger than a volume of its own", prometheus("volume: {size: 100Gi}, retention: {size: 1Ti}"), []string{
		monitoringAt + `prometheus.retention.size: "1Ti" is larger than the volume, whose size is "100Gi"; must be at most "85Gi", 85 % of it`}},
	{"retention as large as the volume", prometheus("retention: {size: 20Gi}"), []string{
		monitoringAt + `prometheus.retention.size: "20Gi" must be at most "17Gi", 85 % of the volume's size, which is "20Gi": the write-ahead log and what is being compacted need room too`}},
	{"retention of a volume that is wrong", prometheus("volume: {size: big}, retention: {size: 30Gi}"), []string{
		monitoringAt + `prometheus.volume.size: "big" ` + quantity}},
	{"retention by size that does not parse", prometheus("retention: {size: 16GiB}"), []string{
		monitoringAt + `prometheus.retention.size: "16GiB" ` + quantity}},
	{"retention by time that does not parse", prometheus("retention: {time: 2 weeks}"), []string{
		monitoringAt + `prometheus.retention.time: "2 weeks" ` + prometheusFor}},
	{"retention in months", prometheus("retention: {time: 6M}"), []string{
		monitoringAt + `prometheus.retention.time: "6M" ` + prometheusFor}},
	{"retention for no time", prometheus("retention: {time: 0d}"), []string{
		monitoringAt + `prometheus.retention.time: "0d" ` + prometheusFor}},
	{"retention for an hour", prometheus("retention: {time: 1h}"), []string{
		monitoringAt + `prometheus.retention.time: "1h" must be at least 2h, which is how much is written at once`}},
	{"small volume", prometheus("volume: {size: 512Mi}"), []string{
		monitoringAt + `prometheus.volume.size: "512Mi" must be at least "1Gi"`}},

	// What leaves Prometheus.
	{"external labels that are none", prometheus("externalLabels: {my-cluster: a, __name: b, region: '', prometheus_replica: c}"), []string{
		monitoringAt + `prometheus.externalLabels: "__name" is no name of a label; must be letters, digits and _, with a letter or a single _ first`,
		monitoringAt + `prometheus.externalLabels: "my-cluster" is no name of a label; must be letters, digits and _, with a letter or a single _ first`,
		monitoringAt + `prometheus.externalLabels: "prometheus_replica" is a label that tells replicas apart, which the Prometheus operator adds; must be another name`,
		monitoringAt + `prometheus.externalLabels.region: "" is empty, which means that there is no such label; must be a string that is not empty`}},
	{"remote write without TLS", prometheus("remoteWrite: [{name: central, url: 'http://metrics.example.com'}]"), []string{
		monitoringAt + `prometheus.remoteWrite[0].url: "http://metrics.example.com" must be a URL that starts with https://`}},
	{"remote write to nobody", prometheus("remoteWrite: [{bearerToken: t}]"), []string{
		monitoringAt + "prometheus.remoteWrite[0].name: is missing; " + dnsLabel,
		monitoringAt + "prometheus.remoteWrite[0].url: is missing; must be a URL that starts with https://"}},
	{"remote write with a password in its URL", prometheus("remoteWrite: [{name: central, url: 'https://a:hunter2@metrics.example.com'}]"), []string{
		monitoringAt + `prometheus.remoteWrite[0].url: "https://a:xxxxx@metrics.example.com" must have no user and no password, which would be readable in it; those belong into basicAuth`}},
	{"remote write with two logins", prometheus("remoteWrite: [{name: central, url: 'https://metrics.example.com', basicAuth: {username: a, password: b}, bearerToken: c}]"), []string{
		monitoringAt + "prometheus.remoteWrite[0]: has basicAuth and bearerToken; must have at most one of them"}},
	{"remote write with half a login", prometheus("remoteWrite: [{name: central, url: 'https://metrics.example.com', basicAuth: {username: a}}]"), []string{
		monitoringAt + "prometheus.remoteWrite[0].basicAuth.password: is missing; must be a string that is not empty"}},
	{"two remote writes of one name", prometheus("remoteWrite: [{name: central, url: 'https://a.example.com'}, {name: central, url: 'https://b.example.com'}]"), []string{
		monitoringAt + `prometheus.remoteWrite[1].name: "central" is the name of another system already; must be in one item only`}},
	{"Thanos without a bucket", prometheus("thanos: {}"), []string{
		monitoringAt + "prometheus.thanos.objectStorage: is missing; must be a map with the keys accessKey, bucket, endpoint, region, secretKey"}},
	{"Thanos without credentials", prometheus("thanos: {objectStorage: {bucket: blocks}}"), []string{
		monitoringAt + "prometheus.thanos.objectStorage.accessKey: is missing; must be a string that is not empty",
		monitoringAt + "prometheus.thanos.objectStorage.secretKey: is missing; must be a string that is not empty"}},
	{"Thanos without an object storage", "storage: {objectStorage: {backend: none}}\n" + thanos("bucket: blocks"), []string{
		monitoringAt + "prometheus.thanos.objectStorage.endpoint: is missing; must be the host and port of an S3 interface, because controlplane:storage.objectStorage.backend is none"}},
	{"Thanos among the files of the File Manager", thanos("bucket: controlplane-files"), []string{
		monitoringAt + `prometheus.thanos.objectStorage.bucket: "controlplane-files" is the bucket of the File Manager's files; must be another one`}},
	{"Thanos among backups", thanos("bucket: controlplane-files-backups"), []string{
		monitoringAt + `prometheus.thanos.objectStorage.bucket: "controlplane-files-backups" is the bucket of the backups of databases; must be another one`}},
	{"Thanos at a URL", thanos("bucket: blocks, endpoint: 'https://s3.example.com'"), []string{
		monitoringAt + `prometheus.thanos.objectStorage.endpoint: "https://s3.example.com" must be host or host:port without a scheme, such as s3.eu-central-1.amazonaws.com`}},
	{"Thanos of another major version", prometheus("thanos: {image: 'quay.io/thanos/thanos:v1.0.0', objectStorage: {bucket: blocks, accessKey: a, secretKey: b}}"), []string{
		monitoringAt + `prometheus.thanos.image: "quay.io/thanos/thanos:v1.0.0" must have a tag that begins with a version of Thanos, such as v0.40.1: the operator reads it there`}},

	// Alerts and exporters.
	{"severity that is none", "monitoring: {alerts: {severity: {NodeNotReady: critcal}}}", []string{
		monitoringAt + `alerts.severity.NodeNotReady: "critcal" is no severity; must be one of critical, warning, info; did you mean "critical"?`}},
	{"severity of another system", "monitoring: {alerts: {severity: {NodeNotReady: page}}}", []string{
		monitoringAt + `alerts.severity.NodeNotReady: "page" is no severity; must be one of critical, warning, info`}},
	{"severity of an alert that does not exist", "monitoring: {alerts: {severity: {NodeNotReddy: warning, ShopDown: critical}}}", []string{
		monitoringAt + `alerts.severity.NodeNotReddy: ` + noAlert + `; did you mean "NodeNotReady"?`,
		monitoringAt + `alerts.severity.ShopDown: ` + noAlert}},
	{"disabled alerts that do not exist", "monitoring: {alerts: {disabled: [NodeNotReady, nodememorylow, ShopIsClosedOnSundays]}}", []string{
		monitoringAt + `alerts.disabled[1]: "nodememorylow" ` + noAlert + `; did you mean "NodeMemoryLow"?`,
		monitoringAt + `alerts.disabled[2]: "ShopIsClosedOnSundays" ` + noAlert}},
	{"severity of an alert that is disabled", "monitoring: {alerts: {disabled: [NodeNotReady], severity: {NodeNotReady: warning}}}", []string{
		monitoringAt + "alerts.severity.NodeNotReady: has no effect, because the alert is in disabled; must be in one of the two only"}},
	{"severity of what always fires", "monitoring: {alerts: {severity: {Watchdog: critical}}}", []string{
		monitoringAt + `alerts.severity.Watchdog: "critical" is of an alert that always fires, which would hold back others for as long; must be info, or left out`}},
	{"watchdog that is gone", "monitoring: {alerts: {disabled: [Watchdog]}, alertmanager: {watchdogReceiver: a, receivers: [{name: a, webhook: {url: 'https://a.example.com'}}]}}", []string{
		monitoringAt + `alerts.disabled[0]: "Watchdog" is what controlplane:monitoring.alertmanager.watchdogReceiver waits for; must be left out, or the receiver`}},
	{"runbooks whose names would run together", "monitoring: {alerts: {runbookBaseUrl: 'https://wiki.example.com/runbooks'}}", []string{
		monitoringAt + `alerts.runbookBaseUrl: "https://wiki.example.com/runbooks" must end with / or what else separates it from the name of an alert; did you mean "https://wiki.example.com/runbooks/"?`}},
	{"severity that is a number", "monitoring: {alerts: {severity: {NodeNotReady: 1}}}", []string{
		monitoringAt + "alerts.severity.NodeNotReady: 1 must be a string"}},
	{"alert that is disabled twice", "monitoring: {alerts: {disabled: [Watchdog, Watchdog]}}", []string{
		monitoringAt + "alerts.disabled: must be a list, not empty, without repetition, each item a string"}},
	{"CoreDNS of which nothing is known", policies("dns: {pods: {}}"), []string{
		monitoringAt + "exporters.coreDNS: true needs to know the pods of CoreDNS, by their labels in controlplane:network.policies.dns.pods; must be false without them"}},
	{"etcd by names", "monitoring: {exporters: {etcd: {endpoints: ['https://etcd-0:2379', 10.0.0.11], clientSecret: etcd}}}", []string{
		monitoringAt + `exporters.etcd.endpoints[0]: "https://etcd-0:2379" must be an IPv4 or IPv6 address such as 10.0.0.11`}},
	{"etcd without a certificate", "monitoring: {exporters: {etcd: {endpoints: [10.0.0.11]}}}", []string{
		monitoringAt + "exporters.etcd.clientSecret: is missing; " + name}},
	{"request above the limit of exporters", "monitoring: {exporters: {kubeStateMetrics: {resources: {requests: {memory: 1Gi}}}, nodeExporter: {resources: {requests: {cpu: 1}}}}}", []string{
		monitoringAt + `exporters.kubeStateMetrics.resources.requests.memory: "1Gi" must be at most the limit, which is "256Mi"`,
		monitoringAt + `exporters.nodeExporter.resources.requests.cpu: "1" must be at most the limit, which is "250m"`}},
}
