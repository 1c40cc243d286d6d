package grafana

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
)

// The UIDs of the data sources, by which dashboards refer to them.
const (
	PrometheusUID   = "prometheus"
	AlertmanagerUID = "alertmanager"
)

const (
	settingsFile    = "grafana.ini"
	datasourcesFile = "datasources.yaml"
	providersFile   = "dashboards.yaml"

	// mapBytes is how much a ConfigMap takes. Kubernetes allows 1 MiB.
	mapBytes = 900 << 10
	// lookSeconds is how often Grafana looks for changed dashboards.
	lookSeconds = 30
)

// files are what Grafana reads when it starts, by name.
func (a Args) files(databaseHost string) (map[string]string, error) {
	all := map[string]string{settingsFile: a.settings(databaseHost)}
	for name, content := range map[string]map[string]any{datasourcesFile: a.datasources(), providersFile: a.providers()} {
		text, err := yaml.Marshal(content)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all[name] = string(text)
	}
	return all, nil
}

// datasources are Prometheus and Alertmanager, and no others that were there before.
func (a Args) datasources() map[string]any {
	return map[string]any{"apiVersion": 1, "prune": true, "datasources": []any{
		a.datasource("Prometheus", "prometheus", PrometheusUID, a.PrometheusURL, map[string]any{
			"prometheusType": "Prometheus", "httpMethod": "POST", "timeInterval": a.ScrapeInterval,
			"manageAlerts": true, "allowAsRecordingRulesTarget": false,
		}),
		a.datasource("Alertmanager", "alertmanager", AlertmanagerUID, a.AlertmanagerURL, map[string]any{
			"implementation": "prometheus", "handleGrafanaManagedAlerts": false,
		}),
	}}
}

func (a Args) datasource(name, kind, uid, url string, own map[string]any) map[string]any {
	own["tlsAuthWithCACert"] = true
	return map[string]any{
		"name": name, "type": kind, "uid": uid, "url": url, "access": "proxy", "orgId": 1,
		"isDefault": uid == PrometheusUID, "editable": false, "jsonData": own,
		// By content, not by name: Grafana reads the file when it starts.
		"secureJsonData": map[string]any{"tlsCACert": "$__file{" + a.bundle() + "}"},
	}
}

// providers are the folders.
func (a Args) providers() map[string]any {
	all := []any{}
	for _, f := range a.folders() {
		uid := "folder-" + f.slug // not one that a dashboard may have: they share the UIDs there are
		all = append(all, map[string]any{
			"name": f.slug, "type": "file", "orgId": 1, "folder": strings.ReplaceAll(f.title, "$", "$$"), "folderUid": uid,
			"allowUiUpdates": false, "disableDeletion": false, "updateIntervalSeconds": lookSeconds,
			"options": map[string]any{"path": f.dir()},
		})
	}
	return map[string]any{"apiVersion": 1, "providers": all}
}

// folder is a folder of dashboards. Its slug is its name in the names of others.
type folder struct {
	title, slug string
	dashboards  []Dashboard
}

func (f folder) dir() string { return dashboardsDir + "/" + f.slug }

// folders are those of the dashboards, in order.
func (a Args) folders() []folder {
	var all []folder
	for _, d := range a.Dashboards {
		i := slices.IndexFunc(all, func(f folder) bool { return f.title == d.Folder })
		if i < 0 {
			i, all = len(all), append(all, folder{title: d.Folder, slug: slugOf(d.Folder)})
		}
		all[i].dashboards = append(all[i].dashboards, d)
	}
	for _, f := range all {
		slices.SortFunc(f.dashboards, func(x, y Dashboard) int { return strings.Compare(x.UID, y.UID) })
	}
	slices.SortFunc(all, func(x, y folder) int { return strings.Compare(x.slug, y.slug) })
	return all
}

// slugOf is a name of lower-case letters, digits and hyphens: as many as Grafana allows in a UID, with what comes first.
func slugOf(title string) string {
	const most = 33
	words := strings.FieldsFunc(strings.ToLower(title), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	slug := strings.Join(words, "-")
	return strings.Trim(slug[:min(len(slug), most)], "-")
}

// maps are the ConfigMaps of a folder: as many as its dashboards need.
func (f folder) maps() []*corev1.ConfigMap {
	var all []*corev1.ConfigMap
	size := 0
	for _, d := range f.dashboards {
		if len(all) == 0 || size+len(d.JSON) > mapBytes {
			name := fmt.Sprintf("%s-dashboards-%s", names.Grafana, f.slug)
			if len(all) > 0 {
				name = fmt.Sprintf("%s-%d", name, len(all)+1)
			}
			all, size = append(all, &corev1.ConfigMap{ObjectMeta: meta(name), Data: map[string]string{}}), 0
		}
		all[len(all)-1].Data[fileOf(d.UID)] = string(d.JSON)
		size += len(d.JSON)
	}
	return all
}

func fileOf(uid string) string { return uid + ".json" }

// homeFile is the file of the dashboard that people see first; nothing: Grafana's own.
func (a Args) homeFile() string {
	for _, f := range a.folders() {
		for _, d := range f.dashboards {
			if d.UID == a.Home {
				return f.dir() + "/" + fileOf(d.UID)
			}
		}
	}
	return ""
}

// configuration are the ConfigMaps.
func (a Args) configuration(files map[string]string) []runtime.Object {
	all := []runtime.Object{&corev1.ConfigMap{ObjectMeta: meta(settingsMap), Data: files}}
	for _, f := range a.folders() {
		for _, m := range f.maps() {
			all = append(all, m)
		}
	}
	return all
}
