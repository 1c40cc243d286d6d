package config

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"k8s.io/apimachinery/pkg/util/sets"
)

const monitoringPath = "monitoring"

func (k *checker) monitoring() {
	m := k.cfg.Monitoring
	if !m.Installed() {
		k.monitoringOfOthers(m)
		return
	}
	k.secretNamespaces(monitoringPath+".operator.secretNamespaces", m.Operator.SecretNamespaces)
	k.prometheus(monitoringPath+".prometheus", m.Prometheus)
	k.alertmanager(monitoringPath+".alertmanager", m.Alertmanager)
	k.alerts(monitoringPath+".alerts", m)
	k.class(monitoringPath+".exporters.kubeStateMetrics.resources", m.Exporters.KubeStateMetrics.Resources)
	k.class(monitoringPath+".exporters.nodeExporter.resources", m.Exporters.NodeExporter.Resources)
	if m.Exporters.CoreDNS && len(k.cfg.Network.Policies.DNS.Pods) == 0 && !k.isTouched("network.policies.dns") {
		k.add(monitoringPath+".exporters.coreDNS", true, "needs to know the pods of CoreDNS, by their labels in controlplane:network.policies.dns.pods; must be false without them")
	}
	if m.ShowsGrafana() {
		k.grafana(monitoringPath+".grafana", m.Grafana)
	}
}

// monitoringOfOthers refuses the sections of what has another owner.
func (k *checker) monitoringOfOthers(m Monitoring) {
	for _, section := range []struct {
		key   string
		given bool
	}{
		{"operator", m.Operator != nil},
		{"prometheus", m.Prometheus != nil},
		{"alertmanager", m.Alertmanager != nil},
		{"alerts", m.Alerts != nil},
		{"exporters", m.Exporters != nil},
		{"grafana", m.Grafana != nil},
	} {
		if section.given {
			k.add(monitoringPath+"."+section.key, nil, "is only allowed with stack install; stack is existing", monitoringPath+".stack")
		}
	}
}

func (k *checker) secretNamespaces(path string, namespaces []string) {
	if i := slices.Index(namespaces, NamespaceMonitoring); i >= 0 {
		k.add(fmt.Sprintf("%s.%d", path, i), NamespaceMonitoring, "is the operator's own namespace, whose Secrets it reads anyway; must be left out")
	}
}

func (k *checker) prometheus(path string, p *Prometheus) {
	if k.cfg.Availability == Zonal && p.Replicas != 2 {
		k.add(path+".replicas", p.Replicas, "must be 2 with controlplane:availability zonal", "availability")
	}
	k.imageVersion(path+".image", p.Image, "3", "Prometheus 3, such as v3.13.1")
	k.seconds(path+".scrapeInterval", p.ScrapeInterval, 5*time.Second, 2*time.Minute,
		": with less Prometheus mostly collects, and after five minutes without a new sample a series counts as gone")
	k.class(path+".resources", p.Resources)
	k.atLeast(path+".volume.size", p.Volume.Size, "1Gi", "")
	k.retention(path, p)
	k.externalLabels(path+".externalLabels", p.ExternalLabels)
	k.remoteWrite(path+".remoteWrite", p.RemoteWrite)
	if p.Thanos != nil {
		k.imageVersion(path+".thanos.image", p.Thanos.Image, "0", "Thanos, such as v0.40.1")
		k.class(path+".thanos.resources", p.Thanos.Resources)
		k.thanos(path+".thanos.objectStorage", p.Thanos.ObjectStorage)
	}
}

var versionedTag = regexp.MustCompile(`^v([0-9]+)\.[0-9]+\.[0-9]+($|[^0-9.])`)

// imageVersion checks that a tag begins with a version of a major one. The
// operator reads it there, and configures what it knows of that version.
func (k *checker) imageVersion(path, image, major, example string) {
	_, tag := splitImage(image)
	if match := versionedTag.FindStringSubmatch(tag); match == nil || match[1] != major {
		k.add(path, image, "must have a tag that begins with a version of "+example+": the operator reads it there")
	}
}

// retention checks that what is kept fits the volume.
func (k *checker) retention(path string, p *Prometheus) {
	const shortest = model.Duration(2 * time.Hour) // a block is of that length
	if kept, err := model.ParseDuration(p.Retention.Time); err == nil && kept < shortest {
		k.add(path+".retention.time", p.Retention.Time, "must be at least 2h, which is how much is written at once")
	}
	size, volume := p.Retention.Size, p.Volume.Size
	most := share(volume, 85)
	switch {
	case size.Cmp(volume) > 0:
		k.add(path+".retention.size", size.String(), fmt.Sprintf("is larger than the volume, whose size is %q; must be at most %q, 85 %% of it", volume.String(), most.String()), path+".volume.size")
	case size.Cmp(most) > 0:
		k.add(path+".retention.size", size.String(), fmt.Sprintf("must be at most %q, 85 %% of the volume's size, which is %q: the write-ahead log and what is being compacted need room too", most.String(), volume.String()), path+".volume.size")
	}
}

var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

func (k *checker) externalLabels(path string, labels map[string]string) {
	for _, name := range sortedKeys(labels) {
		switch {
		case !labelName.MatchString(name) || strings.HasPrefix(name, "__"):
			k.add(path, name, "is no name of a label; must be letters, digits and _, with a letter or a single _ first")
		case name == "prometheus" || name == "prometheus_replica":
			k.add(path, name, "is a label that tells replicas apart, which the Prometheus operator adds; must be another name")
		case labels[name] == "":
			k.add(path+"."+name, "", "is empty, which means that there is no such label; must be a string that is not empty")
		}
	}
}

func (k *checker) remoteWrite(path string, targets []RemoteWrite) {
	names := sets.New[string]()
	for i, target := range targets {
		at := fmt.Sprintf("%s.%d", path, i)
		if target.Name != "" && names.Has(target.Name) {
			k.add(at+".name", target.Name, "is the name of another system already; must be in one item only")
		}
		names.Insert(target.Name)
		if target.BasicAuth != nil && target.BearerToken.IsSet() {
			k.add(at, nil, "has basicAuth and bearerToken; must have at most one of them")
		}
		k.noPassword(at+".url", target.URL, "basicAuth")
	}
}

// noPassword refuses a password in a URL, which is no secret.
func (k *checker) noPassword(path, address, instead string) {
	if u, err := url.Parse(address); err == nil && u.User != nil {
		k.add(path, u.Redacted(), "must have no user and no password, which would be readable in it; those belong into "+instead)
	}
}

func (k *checker) thanos(path string, o ThanosObjectStorage) {
	storage := k.cfg.Storage.ObjectStorage
	if o.Endpoint == "" {
		k.add(path+".endpoint", nil, fmt.Sprintf("is missing; must be the host and port of an S3 interface, because controlplane:storage.objectStorage.backend is %s", storage.Backend),
			path, objectStoragePath+".backend", "aws")
	}
	own := map[string]string{storage.Bucket: "the File Manager's files", storage.BackupBucket: "the backups of databases"}
	if use := own[o.Bucket]; use != "" && o.Bucket != "" && k.isOwnStorage(o.Endpoint) {
		k.add(path+".bucket", o.Bucket, fmt.Sprintf("is the bucket of %s; must be another one", use), objectStoragePath)
	}
}

// isOwnStorage says whether an endpoint is that of the platform's own buckets.
func (k *checker) isOwnStorage(endpoint string) bool {
	switch k.cfg.Storage.ObjectStorage.Backend {
	case ObjectsMinIO:
		return strings.HasPrefix(endpoint, "minio."+NamespaceMinIO+".")
	case ObjectsS3:
		return strings.HasSuffix(endpoint, ".amazonaws.com")
	}
	return false
}

// watchdog is the alert that is always there.
const watchdog = "Watchdog"

func (k *checker) alerts(path string, m Monitoring) {
	if base := m.Alerts.RunbookBaseURL; labelName.MatchString(base[max(0, len(base)-1):]) {
		k.suggest(path+".runbookBaseUrl", base, "must end with / or what else separates it from the name of an alert", base+"/")
	}
	for i, name := range m.Alerts.Disabled {
		at := fmt.Sprintf("%s.disabled.%d", path, i)
		if !slices.Contains(AlertNames, name) {
			k.suggest(at, name, noAlert, nearest(name, AlertNames))
		}
		if name == watchdog && m.Alertmanager.WatchdogReceiver != "" {
			k.add(at, name, "is what controlplane:monitoring.alertmanager.watchdogReceiver waits for; must be left out, or the receiver", monitoringPath+".alertmanager.watchdogReceiver")
		}
	}
	for _, name := range sortedKeys(m.Alerts.Severity) {
		at, severity := path+".severity."+name, string(m.Alerts.Severity[name])
		switch {
		case !slices.Contains(severities, severity):
			k.suggest(at, severity, "is no severity; must be one of "+strings.Join(severities, ", "), nearest(severity, severities))
		case !slices.Contains(AlertNames, name):
			k.suggest(at, nil, noAlert, nearest(name, AlertNames))
		case name == watchdog && severity != string(SeverityInfo):
			k.add(at, severity, "is of an alert that always fires, which would hold back others for as long; must be info, or left out")
		case slices.Contains(m.Alerts.Disabled, name):
			k.add(at, nil, "has no effect, because the alert is in disabled; must be in one of the two only", path+".disabled")
		}
	}
}

const noAlert = "is no alert of the platform; must be the name of one that docs/runbooks has a page for"
