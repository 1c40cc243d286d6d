package dashboards

import (
	"errors"
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// The grid is 24 units wide.
const (
	gridWidth = 24
	full      = gridWidth
	half      = gridWidth / 2
	third     = gridWidth / 3
	quarter   = gridWidth / 4
	sixth     = gridWidth / 6

	statHeight, chartHeight = 4, 8
)

// Units, by the names that fit here.
const (
	ratio     = units.PercentUnit
	perSecond = units.OpsPerSecond
	requests  = units.RequestsPerSecond
	seconds   = units.Seconds
	millis    = units.Milliseconds
	micros    = units.Microseconds
	bytesIEC  = units.BytesIEC
	byteRate  = units.BytesPerSecondIEC
	count     = units.Short
)

// Colours, of Grafana's palette.
const (
	good, bad, doubtful, neutral, unknown = "green", "red", "yellow", "blue", "#808080"
)

// source is the variable with the data source, so that a dashboard can show another Prometheus' data.
const source = "datasource"

// query is PromQL, and what its series are called.
type query struct{ expr, legend string }

// limit is a value from which on another colour applies.
type limit struct {
	from   float64
	colour string
}

// limits are colours by value: base below the first of steps.
type limits struct {
	base  string
	steps []limit
}

// lowIsGood is green, and yellow and red from two values on. One value leaves out yellow.
func lowIsGood(values ...float64) *limits {
	if len(values) == 1 {
		return &limits{good, []limit{{values[0], bad}}}
	}
	return &limits{good, []limit{{values[0], doubtful}, {values[1], bad}}}
}

// highIsGood is red, and yellow and green from two values on. One value leaves out yellow.
func highIsGood(values ...float64) *limits {
	if len(values) == 1 {
		return &limits{bad, []limit{{values[0], good}}}
	}
	return &limits{bad, []limit{{values[0], doubtful}, {values[1], good}}}
}

// chart is a panel.
type chart struct {
	title string
	// says is what the panel shows, and what good looks like.
	says string
	unit string
	// limits are the colours of values; nil: there is no good or bad about them.
	limits  *limits
	queries []query
	// words stand for values, such as Healthy for 1.
	words map[string]word
	// empty is what stands there without data, and emptyColour its colour where the panel is a number; empty: that there is
	// none, which is neither good nor bad.
	empty, emptyColour string
	// stacked lays series on each other, for parts of a whole; upTo is the most there can be.
	stacked bool
	upTo    float64
	// columns are a table's, in their order: labels, and Value. Others are left out.
	columns []column
	// leads is the UID of the dashboard that a click leads to.
	leads string
	// height is that of the grid; 0: what is usual for the kind.
	height uint32
}

// word is what stands for a value, and its colour.
type word struct{ text, colour string }

// column is a label or Value, and what it is called.
type column struct{ name, title string }

// value is the column with a query's result.
const value = "Value"

// board collects the panels of a dashboard and places them: from left to right, in lines as high as their highest.
type board struct {
	builder *dashboard.DashboardBuilder
	// every is how often the targets are asked, when that is not what the data source says.
	every          string
	id             uint32
	x, y, lineHigh uint32
	errs           []error
}

func newBoard(k kind) *board {
	b := &board{builder: dashboard.NewDashboardBuilder(k.title).
		Uid(k.uid).Tags([]string{tag}).Readonly().Timezone("browser").
		Tooltip(dashboard.DashboardCursorSyncCrosshair).Refresh("1m").Time("now-6h", "now")}
	b.builder.WithVariable(dashboard.NewDatasourceVariableBuilder(source).Label("Data source").Type("prometheus").
		Current(chosen("Prometheus", "prometheus")))
	if k.uid != OverviewUID {
		b.link("Platform overview", OverviewUID)
		b.builder.Link(dashboard.NewDashboardLinkBuilder("Dashboards").Type(dashboard.DashboardLinkTypeDashboards).
			Tags([]string{tag}).AsDropdown(true).KeepTime(true).Icon("apps").Tooltip("All dashboards of the platform"))
	}
	return b
}

// tag is that of all dashboards here.
const tag = "platform"

func (b *board) build() (dashboard.Dashboard, error) {
	built, err := b.builder.Build()
	return built, errors.Join(append(b.errs, err)...)
}

// about is what the dashboard answers.
func (b *board) about(text string) { b.builder.Description(text) }

// link leads to another dashboard from the head of this one.
func (b *board) link(title, uid string) {
	b.builder.Link(dashboard.NewDashboardLinkBuilder(title).Type(dashboard.DashboardLinkTypeLink).Url("/d/" + uid).
		KeepTime(true).Icon("dashboard").Tooltip("Open the dashboard " + title))
}

// choice is a variable with the values of a label; at first all of them.
func (b *board) choice(name, label, values string) {
	b.builder.WithVariable(dashboard.NewQueryVariableBuilder(name).Label(label).Datasource(dataSource()).
		Query(dashboard.StringOrMap{String: cog.ToPtr(values)}).
		Refresh(dashboard.VariableRefreshOnTimeRangeChanged).Sort(dashboard.VariableSortAlphabeticalAsc).
		Multi(true).IncludeAll(true).AllValue(".*").Current(chosen("All", "$__all")))
}

func chosen(text, value string) dashboard.VariableOption {
	return dashboard.VariableOption{
		Text:  dashboard.StringOrArrayOfString{String: &text},
		Value: dashboard.StringOrArrayOfString{String: &value},
	}
}

func dataSource() dashboard.DataSourceRef {
	return dashboard.DataSourceRef{Type: cog.ToPtr("prometheus"), Uid: cog.ToPtr("${" + source + "}")}
}

// row begins a part of the dashboard.
func (b *board) row(title string) {
	b.newLine()
	b.id++
	b.builder.WithRow(dashboard.NewRowBuilder(title).Id(b.id).GridPos(dashboard.GridPos{Y: b.y, W: gridWidth, H: 1}))
	b.y++
}

func (b *board) newLine() {
	b.x, b.y, b.lineHigh = 0, b.y+b.lineHigh, 0
}

// place finds room for a panel.
func (b *board) place(width, height uint32) dashboard.GridPos {
	if b.x+width > gridWidth {
		b.newLine()
	}
	at := dashboard.GridPos{X: b.x, Y: b.y, W: width, H: height}
	b.x += width
	b.lineHigh = max(b.lineHigh, height)
	return at
}

// settings are those that all kinds of panels have.
type settings[T any] interface {
	cog.Builder[dashboard.Panel]
	Id(uint32) T
	Title(string) T
	Description(string) T
	Datasource(dashboard.DataSourceRef) T
	GridPos(dashboard.GridPos) T
	Unit(string) T
	NoValue(string) T
	Min(float64) T
	Max(float64) T
	Interval(string) T
	Thresholds(cog.Builder[dashboard.ThresholdsConfig]) T
	Mappings([]dashboard.ValueMapping) T
	DataLinks([]cog.Builder[dashboard.DashboardLink]) T
	WithTarget(cog.Builder[variants.Dataquery]) T
}

// add places a panel with what all kinds have.
func add[T settings[T]](b *board, panel T, width, height uint32, c chart, as func(*prometheus.DataqueryBuilder)) {
	if c.height > 0 {
		height = c.height
	}
	b.id++
	panel.Id(b.id).Title(c.title).Description(c.says).Unit(c.unit).Datasource(dataSource()).GridPos(b.place(width, height))
	panel.Thresholds(c.thresholds())
	if b.every != "" {
		panel.Interval(b.every)
	}
	if c.empty != "" {
		panel.NoValue(c.empty)
	}
	if c.upTo > 0 {
		panel.Min(0).Max(c.upTo)
	}
	if mappings := c.mappings(); len(mappings) > 0 {
		panel.Mappings(mappings)
	}
	if c.leads != "" {
		panel.DataLinks([]cog.Builder[dashboard.DashboardLink]{
			dashboard.NewDashboardLinkBuilder("Show why").Type(dashboard.DashboardLinkTypeLink).Url("/d/" + c.leads + "?${__url_time_range}"),
		})
	}
	for i, q := range c.queries {
		target := prometheus.NewDataqueryBuilder().Expr(q.expr).LegendFormat(q.legend).RefId(string(rune('A' + i))).
			EditorMode(prometheus.QueryEditorModeCode).Datasource(dataSource())
		as(target)
		panel.WithTarget(target)
	}
	built, err := panel.Build()
	if err != nil {
		b.errs = append(b.errs, fmt.Errorf("the panel %q: %w", c.title, err))
		return
	}
	b.builder.WithPanel(finished{built})
}

// finished is a panel that has been built, so that an error names it.
type finished struct{ panel dashboard.Panel }

func (f finished) Build() (dashboard.Panel, error) { return f.panel, nil }

func instant(q *prometheus.DataqueryBuilder) {
	q.Instant().Format(prometheus.PromQueryFormatTimeSeries)
}
func overTime(q *prometheus.DataqueryBuilder) {
	q.Range().Format(prometheus.PromQueryFormatTimeSeries)
}
func asTable(q *prometheus.DataqueryBuilder) { q.Instant().Format(prometheus.PromQueryFormatTable) }

// thresholds are the colours by value.
func (c chart) thresholds() cog.Builder[dashboard.ThresholdsConfig] {
	l := limits{base: neutral}
	if c.limits != nil {
		l = *c.limits
	}
	steps := []dashboard.Threshold{{Color: l.base}}
	for _, step := range l.steps {
		steps = append(steps, dashboard.Threshold{Color: step.colour, Value: cog.ToPtr(step.from)})
	}
	return dashboard.NewThresholdsConfigBuilder().Mode(dashboard.ThresholdsModeAbsolute).Steps(steps)
}

// mappings have words for values, and for what has none.
func (c chart) mappings() []dashboard.ValueMapping {
	var all []dashboard.ValueMapping
	if len(c.words) > 0 {
		options := map[string]dashboard.ValueMappingResult{}
		for value, w := range c.words {
			options[value] = w.result()
		}
		all = append(all, dashboard.ValueMapping{ValueMap: &dashboard.ValueMap{Type: dashboard.MappingTypeValueToText, Options: options}})
	}
	if c.emptyColour != "" {
		all = append(all, dashboard.ValueMapping{SpecialValueMap: &dashboard.SpecialValueMap{
			Type: dashboard.MappingTypeSpecialValue,
			Options: dashboard.DashboardSpecialValueMapOptions{
				Match: dashboard.SpecialValueMatchNullAndNan, Result: word{c.empty, c.emptyColour}.result(),
			},
		}})
	}
	return all
}

func (w word) result() dashboard.ValueMappingResult {
	return dashboard.ValueMappingResult{Text: cog.ToPtr(w.text), Color: cog.ToPtr(w.colour)}
}

// upDown are the words of what is or is not.
func upDown(up, down string) map[string]word {
	return map[string]word{"0": {down, bad}, "1": {up, good}}
}

// rateBy is how much counters grow a second, added up by labels.
func rateBy(labels, counter, selection string) string {
	return fmt.Sprintf(`sum by (%s) (rate(%s{%s}[$__rate_interval]))`, labels, counter, selection)
}

// quantile is what a part of a histogram's observations stays below, by a label or of all together.
func quantile(q float64, histogram, selection, label string) string {
	by := "le"
	if label != "" {
		by += ", " + label
	}
	return fmt.Sprintf(`histogram_quantile(%v, %s)`, q, rateBy(by, histogram+"_bucket", selection))
}
