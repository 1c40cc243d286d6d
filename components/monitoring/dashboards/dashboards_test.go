package dashboards_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/dashboards"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/rules"
	"github.com/telekom/controlplane-infrastructure/internal/mesh"
)

func all(t *testing.T, args dashboards.Args) []dashboards.Dashboard {
	t.Helper()
	built, err := dashboards.All(args)
	require.NoError(t, err)
	return built
}

func TestDashboardsFitGrafanasSchema(t *testing.T) {
	for name, args := range installations() {
		t.Run(name, func(t *testing.T) {
			for _, d := range all(t, args) {
				decoded, err := decode(d)
				require.NoError(t, err, d.Title)
				assert.Equal(t, d.UID, text(decoded.Uid))
				assert.Equal(t, d.Title, text(decoded.Title))
				assert.LessOrEqual(t, len(d.UID), 40, "Grafana's limit")
				assert.NotEmpty(t, text(decoded.Description), "%s says what it answers", d.Title)
				assert.Contains(t, decoded.Tags, "platform")
				assert.NotEmpty(t, decoded.Panels, d.Title)
			}
		})
	}
}

func TestQueriesNameMetricsThatExist(t *testing.T) {
	for name, args := range installations() {
		t.Run(name, func(t *testing.T) {
			for _, d := range all(t, args) {
				assert.NoError(t, checkQueries(d), d.Title)
			}
		})
	}
}

func TestPanelsSayWhatTheyShowAndDoNotOverlap(t *testing.T) {
	for name, args := range installations() {
		t.Run(name, func(t *testing.T) {
			for _, d := range all(t, args) {
				decoded, err := decode(d)
				require.NoError(t, err)
				assert.NoError(t, checkPanels(decoded), d.Title)
			}
		})
	}
}

func TestEachDashboardIsOneClickFromTheOverviewAndBack(t *testing.T) {
	for name, args := range installations() {
		t.Run(name, func(t *testing.T) {
			built := all(t, args)
			require.Equal(t, dashboards.OverviewUID, built[0].UID, "the overview is the first")
			overview, err := decode(built[0])
			require.NoError(t, err)
			seen := map[string]bool{dashboards.OverviewUID: true}
			for _, d := range built[1:] {
				assert.False(t, seen[d.UID], "%s is unique", d.UID)
				seen[d.UID] = true
				assert.Contains(t, links(overview), "/d/"+d.UID, d.Title)
				decoded, err := decode(d)
				require.NoError(t, err)
				assert.Contains(t, links(decoded), "/d/"+dashboards.OverviewUID, d.Title)
			}
			for _, target := range linksOfPanels(overview) {
				uid, _, _ := strings.Cut(strings.TrimPrefix(target, "/d/"), "?")
				assert.True(t, seen[uid], "%s leads to a dashboard that there is", target)
			}
		})
	}
}

func links(d dashboard.Dashboard) []string {
	var all []string
	for _, link := range d.Links {
		all = append(all, text(link.Url))
	}
	return all
}

func linksOfPanels(d dashboard.Dashboard) []string {
	var all []string
	for _, one := range d.Panels {
		if one.Panel == nil {
			continue
		}
		for _, link := range one.Panel.FieldConfig.Defaults.Links {
			all = append(all, text(link.Url))
		}
	}
	return all
}

// TestOverviewHasEachComponentThatIsRecorded holds the overview to what package rules computes.
func TestOverviewHasEachComponentThatIsRecorded(t *testing.T) {
	for _, kind := range []mesh.Kind{mesh.Istio, mesh.Linkerd} {
		asked, err := all(t, everything(kind))[0].Queries()
		require.NoError(t, err)
		for _, component := range rules.Components() {
			assert.Contains(t, asked, `min(`+rules.ComponentUp+`{component="`+component+`"})`)
		}
	}
}

// TestOverviewFitsOneScreen counts the grid's lines, of which a screen of 1080 pixels shows about 22 under Grafana's head.
func TestOverviewFitsOneScreen(t *testing.T) {
	overview, err := decode(all(t, everything(mesh.Istio))[0])
	require.NoError(t, err)
	for _, one := range overview.Panels {
		require.NotNil(t, one.Panel, "rows take room")
		assert.LessOrEqual(t, one.Panel.GridPos.Y+one.Panel.GridPos.H, uint32(22), text(one.Panel.Title))
	}
}

func TestDashboardsAreOfWhatIsInstalled(t *testing.T) {
	titles := func(args dashboards.Args) []string {
		var titles []string
		for _, d := range all(t, args) {
			titles = append(titles, d.Title)
		}
		return titles
	}
	assert.Equal(t, []string{"Platform overview", "Control Plane operators", "Certificates", "Kubernetes", "Nodes", "Prometheus"},
		titles(dashboards.Args{}))
	assert.Equal(t, []string{
		"Platform overview", "Ingress", "Iris", "Control Plane operators", "PostgreSQL", "Valkey", "Object storage", "Certificates",
		"Service mesh", "Kubernetes", "Nodes", "Prometheus",
	}, titles(everything(mesh.Istio)))
	assert.NotContains(t, titles(dashboards.Args{ObjectStorage: dashboards.S3}), "Object storage", "its metrics are with AWS")
}

func TestDashboardsAreTheSameEveryTime(t *testing.T) {
	first, second := all(t, everything(mesh.Istio)), all(t, everything(mesh.Istio))
	for i := range first {
		assert.True(t, bytes.Equal(first[i].JSON, second[i].JSON), first[i].Title)
	}
}

func TestArgumentsThatCannotWorkAreNamed(t *testing.T) {
	_, err := dashboards.All(dashboards.Args{ObjectStorage: "ceph", Mesh: "consul", Pooler: true})
	require.Error(t, err)
	for _, part := range []string{`ObjectStorage is "ceph"`, `Mesh is "consul"`, "they need PostgreSQL"} {
		assert.ErrorContains(t, err, part)
	}
}

// sentence is of the description of a component's tile.
const sentence = "Healthy: it does its work, though it may have lost some of its redundancy. A click shows why it does not."

// TestChecksFindWhatIsWrong breaks a dashboard in ways that the checks of this package have to notice.
func TestChecksFindWhatIsWrong(t *testing.T) {
	for name, broken := range map[string]struct{ from, to, says string }{
		"PromQL":          {`min(platform:component_up`, `min(platform:component_up{`, "parse error"},
		"unknown metric":  {`platform:component_up`, `platform:component_upp`, "nobody is known to have"},
		"no variable":     {`{component=`, `{namespace=\"$namespace\",component=`, "which there are not"},
		"unknown field":   {`"refresh":`, `"refreshh":`, "refreshh"},
		"panel's option":  {`"colorMode":`, `"colourMode":`, "colourMode"},
		"query's field":   {`"legendFormat":`, `"legend":`, "legend"},
		"type of a value": {`"schemaVersion":`, `"schemaVersion":"x","version":`, "schemaVersion"},
		"no description":  {sentence, ``, "which is no sentence"},
		"no unit":         {`"unit":"short"`, `"unit":""`, "it has no unit"},
		"overlap":         {`"w":4,"x":4,`, `"w":4,"x":3,`, "it lies on"},
		"green nothing":   {`"color":"#808080"`, `"color":"green"`, "it looks good without data"},
		"same id":         {`"id":2,`, `"id":1,`, "has the id 1 as well"},
	} {
		t.Run(name, func(t *testing.T) {
			d := all(t, everything(mesh.Istio))[0]
			require.True(t, strings.Contains(string(d.JSON), broken.from), broken.from)
			d.JSON = []byte(strings.Replace(string(d.JSON), broken.from, broken.to, 1))
			decoded, err := decode(d)
			if err == nil {
				err = checkPanels(decoded)
			}
			if err == nil {
				err = checkQueries(d)
			}
			assert.ErrorContains(t, err, broken.says)
		})
	}
}
