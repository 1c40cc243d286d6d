package dashboards_test

import (
	"errors"
	"fmt"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/statetimeline"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/dashboards"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/rules"
	"github.com/telekom/controlplane-infrastructure/internal/mesh"
	"github.com/telekom/controlplane-infrastructure/tests/metrics"
)

// The decoder takes the options of a panel and the fields of a query for what they are only if it knows their kind.
func init() {
	runtime := cog.NewRuntime()
	runtime.RegisterPanelcfgVariant(stat.VariantConfig())
	runtime.RegisterPanelcfgVariant(timeseries.VariantConfig())
	runtime.RegisterPanelcfgVariant(table.VariantConfig())
	runtime.RegisterPanelcfgVariant(statetimeline.VariantConfig())
	runtime.RegisterDataqueryVariant(prometheus.VariantConfig())
}

// installations are those that differ in their dashboards.
func installations() map[string]dashboards.Args {
	return map[string]dashboards.Args{
		"nothing but what is always there": {},
		"everything, with Istio":           everything(mesh.Istio),
		"everything, with Linkerd":         everything(mesh.Linkerd),
		"object storage of a cloud":        {PostgreSQL: true, Iris: true, ObjectStorage: dashboards.S3, Ingress: true, Mesh: mesh.None},
	}
}

func everything(kind mesh.Kind) dashboards.Args {
	return dashboards.Args{
		PostgreSQL: true, Valkey: true, Iris: true, Backups: true, Pooler: true, ObjectStorage: dashboards.MinIO, Ingress: true,
		Mesh: kind, NodeExporter: true, Etcd: true,
	}
}

// records are what package rules has of an installation with everything.
func records() []rules.Record {
	var all []rules.Record
	for _, group := range rules.All(rules.Args{
		PostgreSQL: map[string]int{"main": 1}, Valkey: true, Iris: true, Backups: true, Pooler: true, ObjectStorage: rules.MinIO,
		Ingress: rules.Traefik, Mesh: rules.Istio, NodeExporter: true, APIServer: true, Etcd: true, Grafana: true,
	}) {
		all = append(all, group.Records...)
	}
	return all
}

// decode reads a dashboard by Grafana's schema: it fails on fields that this does not have, on missing ones, and on values
// of another type.
func decode(d dashboards.Dashboard) (dashboard.Dashboard, error) {
	var decoded dashboard.Dashboard
	if err := decoded.UnmarshalJSONStrict(d.JSON); err != nil {
		return decoded, err
	}
	return decoded, decoded.Validate()
}

// checkQueries finds what Prometheus cannot answer: queries that it does not understand, and metrics that nobody has.
func checkQueries(d dashboards.Dashboard) error {
	asked, err := d.Queries()
	if err != nil {
		return err
	}
	recorded := map[string]bool{}
	for _, record := range records() {
		recorded[record.Name] = true
	}
	var problems []error
	for _, text := range asked {
		expr, err := parser.NewParser(parser.Options{}).ParseExpr(text)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", text, err))
			continue
		}
		for _, name := range metricNames(expr) {
			if !recorded[name] && !metrics.Known(name) {
				problems = append(problems, fmt.Errorf("%s: nobody is known to have %q", text, name))
			}
		}
	}
	return errors.Join(problems...)
}

// metricNames are those that an expression selects.
func metricNames(expr parser.Expr) []string {
	var found []string
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			found = append(found, selector.Name)
		}
		return nil
	})
	return found
}

// checkPanels finds panels that a reader would stumble over.
func checkPanels(d dashboard.Dashboard) error {
	var problems []error
	add := func(format string, values ...any) { problems = append(problems, fmt.Errorf(format, values...)) }
	taken := map[[2]uint32]string{}
	ids := map[uint32]bool{}
	occupy := func(title string, at *dashboard.GridPos, id *uint32) {
		if at == nil || id == nil {
			add("%s: it has no place, or no id", title)
			return
		}
		if ids[*id] {
			add("%s: another panel has the id %d as well", title, *id)
		}
		ids[*id] = true
		if at.X+at.W > 24 || at.W == 0 || at.H == 0 {
			add("%s: it does not fit the grid: %+v", title, *at)
		}
		for x := at.X; x < at.X+at.W; x++ {
			for y := at.Y; y < at.Y+at.H; y++ {
				if other, found := taken[[2]uint32{x, y}]; found {
					add("%s: it lies on %s", title, other)
					return
				}
				taken[[2]uint32{x, y}] = title
			}
		}
	}
	for _, one := range d.Panels {
		if row := one.RowPanel; row != nil {
			if text(row.Title) == "" {
				add("a row has no title")
			}
			occupy(text(row.Title), row.GridPos, &row.Id)
			continue
		}
		p := one.Panel
		title := text(p.Title)
		occupy(title, p.GridPos, p.Id)
		if title == "" {
			add("a panel has no title")
		}
		if len(text(p.Description)) < 10 || !strings.HasSuffix(text(p.Description), ".") {
			add("%s: its description is %q, which is no sentence", title, text(p.Description))
		}
		if p.FieldConfig == nil || text(p.FieldConfig.Defaults.Unit) == "" {
			add("%s: it has no unit", title)
		}
		if p.Type == "stat" && !emptyIsNotGood(p) {
			add("%s: it looks good without data", title)
		}
		if len(p.Targets) == 0 {
			add("%s: it has no query", title)
		}
		if p.Datasource == nil || text(p.Datasource.Uid) != "${datasource}" {
			add("%s: it does not ask the chosen data source", title)
		}
	}
	return errors.Join(problems...)
}

// emptyIsNotGood reports whether a number that is not there has a colour of its own, which is not green.
func emptyIsNotGood(p *dashboard.Panel) bool {
	for _, mapping := range p.FieldConfig.Defaults.Mappings {
		if special := mapping.SpecialValueMap; special != nil && special.Options.Match == dashboard.SpecialValueMatchNullAndNan {
			return text(special.Options.Result.Color) != "" && text(special.Options.Result.Color) != "green"
		}
	}
	return false
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
