package dashboards

import (
	"cmp"

	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/statetimeline"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// number shows values of now, each in the colour of its limits.
func (b *board) number(width uint32, c chart) {
	// The base colour of the limits would stand there, which may be green.
	c.empty, c.emptyColour = cmp.Or(c.empty, "No data"), cmp.Or(c.emptyColour, unknown)
	panel := stat.NewPanelBuilder().ColorMode(common.BigValueColorModeBackground).GraphMode(common.BigValueGraphModeNone).
		JustifyMode(common.BigValueJustifyModeCenter).TextMode(common.BigValueTextModeAuto).
		Orientation(common.VizOrientationAuto).
		ColorScheme(dashboard.NewFieldColorBuilder().Mode(dashboard.FieldColorModeIdThresholds)).
		ReduceOptions(common.NewReduceDataOptionsBuilder().Calcs([]string{"lastNotNull"}).Values(false).Fields(""))
	if len(c.queries) > 1 || c.queries[0].legend != "" {
		panel.TextMode(common.BigValueTextModeValueAndName)
	}
	add(b, panel, width, statHeight, c, instant)
}

// lines shows values over time. Limits are dashed lines.
func (b *board) lines(width uint32, c chart) {
	panel := timeseries.NewPanelBuilder().LineWidth(1).FillOpacity(10).ShowPoints(common.VisibilityModeNever).AxisSoftMin(0).
		ColorScheme(dashboard.NewFieldColorBuilder().Mode(dashboard.FieldColorModeIdPaletteClassic)).
		Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti).Sort(common.SortOrderDescending)).
		Legend(common.NewVizLegendOptionsBuilder().DisplayMode(common.LegendDisplayModeTable).Placement(common.LegendPlacementBottom).
			ShowLegend(true).Calcs([]string{"lastNotNull", "mean", "max"}))
	if c.stacked {
		panel.Stacking(common.NewStackingConfigBuilder().Mode(common.StackingModeNormal).Group("A")).FillOpacity(40)
	}
	if c.limits != nil {
		panel.ThresholdsStyle(common.NewGraphThresholdsStyleConfigBuilder().Mode(common.GraphThresholdsStyleModeDashed))
	}
	add(b, panel, width, chartHeight, c, overTime)
}

// states shows what has been the case when, a line for each series.
func (b *board) states(width uint32, c chart) {
	panel := statetimeline.NewPanelBuilder().ShowValue(common.VisibilityModeNever).RowHeight(0.85).MergeValues(true).
		FillOpacity(80).LineWidth(0).
		ColorScheme(dashboard.NewFieldColorBuilder().Mode(dashboard.FieldColorModeIdThresholds)).
		Legend(common.NewVizLegendOptionsBuilder().DisplayMode(common.LegendDisplayModeList).Placement(common.LegendPlacementBottom).
			ShowLegend(false).Calcs([]string{})).
		Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeSingle).Sort(common.SortOrderNone))
	add(b, panel, width, chartHeight, c, overTime)
}

// list is a table of the values of now. It has one query.
func (b *board) list(width uint32, c chart) {
	panel := table.NewPanelBuilder().ShowHeader(true).Footer(common.NewTableFooterOptionsBuilder().Show(false).Reducer([]string{})).
		ColorScheme(dashboard.NewFieldColorBuilder().Mode(dashboard.FieldColorModeIdThresholds))
	order, titles := map[string]any{}, map[string]any{}
	var shown []any
	for i, column := range c.columns {
		order[column.name], titles[column.name] = i, column.title
		shown = append(shown, column.name)
		if column.name == value && c.limits != nil {
			panel.OverrideByName(column.title, []dashboard.DynamicConfigValue{
				{Id: "custom.cellOptions", Value: map[string]any{"type": "color-background"}},
			})
		}
	}
	panel.WithTransformation(dashboard.DataTransformerConfig{Id: "filterFieldsByName", Options: map[string]any{
		"include": map[string]any{"names": shown},
	}})
	panel.WithTransformation(dashboard.DataTransformerConfig{Id: "organize", Options: map[string]any{
		"excludeByName": map[string]any{}, "indexByName": order, "renameByName": titles,
	}})
	add(b, panel, width, chartHeight, c, asTable)
}
