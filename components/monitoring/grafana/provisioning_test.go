package grafana_test

import (
	"fmt"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/grafana"
)

// datasourceFile and providerFile are what Grafana's documentation says of the files for provisioning.
type datasourceFile struct {
	APIVersion  int  `json:"apiVersion"`
	Prune       bool `json:"prune"`
	Datasources []struct {
		Name           string            `json:"name"`
		Type           string            `json:"type"`
		UID            string            `json:"uid"`
		URL            string            `json:"url"`
		Access         string            `json:"access"`
		OrgID          int               `json:"orgId"`
		IsDefault      bool              `json:"isDefault"`
		Editable       bool              `json:"editable"`
		JSONData       map[string]any    `json:"jsonData"`
		SecureJSONData map[string]string `json:"secureJsonData"`
	} `json:"datasources"`
}

type providerFile struct {
	APIVersion int `json:"apiVersion"`
	Providers  []struct {
		Name                  string `json:"name"`
		Type                  string `json:"type"`
		OrgID                 int    `json:"orgId"`
		Folder                string `json:"folder"`
		FolderUID             string `json:"folderUid"`
		AllowUIUpdates        bool   `json:"allowUiUpdates"`
		DisableDeletion       bool   `json:"disableDeletion"`
		UpdateIntervalSeconds int    `json:"updateIntervalSeconds"`
		Options               struct {
			Path string `json:"path"`
		} `json:"options"`
	} `json:"providers"`
}

const provisioning = "/etc/platform/settings/provisioning/"

func TestDataSources(t *testing.T) {
	o := rendered(t, single())
	all := files(t, o)
	var found datasourceFile
	require.NoError(t, yaml.UnmarshalStrict([]byte(all[provisioning+"datasources/datasources.yaml"]), &found))
	assert.Equal(t, 1, found.APIVersion)
	assert.True(t, found.Prune, "those of before do not stay")
	require.Len(t, found.Datasources, 2)
	for i, want := range []struct{ kind, url string }{
		{"prometheus", "https://prometheus.monitoring.svc:9090"}, {"alertmanager", "https://alertmanager.monitoring.svc:9093"},
	} {
		d := found.Datasources[i]
		assert.Equal(t, want.kind, d.Type)
		assert.Equal(t, want.kind, d.UID, "dashboards refer to it")
		assert.Equal(t, want.url, d.URL)
		assert.Equal(t, "proxy", d.Access)
		assert.False(t, d.Editable)
		assert.Equal(t, i == 0, d.IsDefault)
		assert.Equal(t, true, d.JSONData["tlsAuthWithCACert"])
		assert.NotContains(t, d.JSONData, "tlsSkipVerify")
		reference := fileReference.FindStringSubmatch(d.SecureJSONData["tlsCACert"])
		require.Len(t, reference, 2)
		assert.Contains(t, all[reference[1]], "BEGIN CERTIFICATE", "the platform's authorities")
	}
	assert.Equal(t, "30s", found.Datasources[0].JSONData["timeInterval"])
	assert.Equal(t, "prometheus", found.Datasources[1].JSONData["implementation"])
}

func TestFolders(t *testing.T) {
	o := rendered(t, single(), func(a *grafana.Args) {
		a.Dashboards = append(a.Dashboards, dashboard("Costs in $ & €", "costs", "Costs"),
			dashboard("Everything that has to be looked at before anybody goes home", "late", "Late"))
	})
	all := files(t, o)
	var found providerFile
	require.NoError(t, yaml.UnmarshalStrict([]byte(all[provisioning+"dashboards/dashboards.yaml"]), &found))
	assert.Equal(t, 1, found.APIVersion)
	require.Len(t, found.Providers, 4)
	dashboards := map[string][]string{}
	for _, p := range found.Providers {
		assert.Equal(t, "file", p.Type)
		assert.False(t, p.AllowUIUpdates, "files are what counts")
		assert.False(t, p.DisableDeletion, "what is no file any more goes")
		assert.NotEmpty(t, p.FolderUID)
		assert.LessOrEqual(t, len(p.FolderUID), 40, "Grafana allows no more")
		for file, content := range all {
			if path.Dir(file) == p.Options.Path {
				assert.Contains(t, content, `"uid":"`+strings.TrimSuffix(path.Base(file), ".json")+`"`)
				dashboards[p.Folder] = append(dashboards[p.Folder], path.Base(file))
			}
		}
	}
	assert.Len(t, dashboards["Platform"], 2)
	assert.Equal(t, []string{"operators.json"}, dashboards["Control Plane"])
	assert.Equal(t, []string{"costs.json"}, dashboards["Costs in $$ & €"], "Grafana makes one of two")
}

func TestManyDashboardsFitIntoConfigMaps(t *testing.T) {
	o := rendered(t, single(), func(a *grafana.Args) {
		for i := range 9 {
			d := dashboard("Platform", fmt.Sprintf("large-%d", i), "Large")
			d.JSON = append(d.JSON, []byte(strings.Repeat(" ", 300<<10))...)
			a.Dashboards = append(a.Dashboards, d)
		}
	})
	maps := 0
	for _, name := range o.Names("ConfigMap") {
		size := 0
		for _, content := range o.Data("ConfigMap", name) {
			size += len(content)
		}
		assert.Less(t, size, 1<<20, "%s: Kubernetes allows no more", name)
		if strings.HasPrefix(name, "grafana-dashboards-platform") {
			maps++
		}
	}
	assert.Greater(t, maps, 2)
	all := files(t, o)
	for _, uid := range []string{"overview", "certificates", "large-0", "large-8"} {
		assert.NotEmpty(t, all["/etc/platform/dashboards/platform/"+uid+".json"], "all are in one directory: %s", uid)
	}
}
