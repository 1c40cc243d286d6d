package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/agext/levenshtein"
	"helm.sh/helm/v4/pkg/chart/common"
	chartutil "helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartv2util "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
	"helm.sh/helm/v4/pkg/ignore"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// DefaultKubeVersion is the Kubernetes version that charts are rendered for
// unless a chart says otherwise.
const DefaultKubeVersion = "v1.31.0"

// Chart is a Helm chart with the values to render it with.
type Chart struct {
	// Tree is the chart's directory.
	Tree fs.FS
	// Release and Namespace are what `helm install RELEASE -n NAMESPACE` takes.
	Release, Namespace string
	// Version and AppVersion replace those of Chart.yaml. Charts inside Go
	// modules need it: their release process fills the versions in.
	Version, AppVersion string
	// Values replace the chart's default values, as with `helm install -f`.
	Values map[string]any
	// KubeVersion is the version of the cluster; empty: DefaultKubeVersion.
	KubeVersion string
	// APIVersions are APIs that the cluster has beyond Kubernetes' own, such
	// as monitoring.coreos.com/v1.
	APIVersions []string
}

// Render renders the chart as `helm install` would, without a cluster: lookups
// find nothing. It rejects values that the chart does not know, and templates
// whose result differs from one rendering to the next.
func (c Chart) Render() (Set, error) {
	rendered, crds, err := c.render(time.Unix(0, 0))
	if err != nil {
		return Set{}, fmt.Errorf("chart %s: %w", c.Release, err)
	}
	// Another point in time, to catch templates that print it.
	again, _, err := c.render(time.Unix(1<<31, 1))
	if err != nil {
		return Set{}, fmt.Errorf("chart %s: %w", c.Release, err)
	}
	var objects []*Object
	for _, name := range slices.Sorted(maps.Keys(rendered)) {
		if rendered[name] != again[name] {
			return Set{}, fmt.Errorf("chart %s: template %s renders differently each time: it generates a password, a key, a certificate or a date; set the values that supply it", c.Release, name)
		}
		parsed, err := parse(name, []byte(rendered[name]))
		if err != nil {
			return Set{}, fmt.Errorf("chart %s: %w", c.Release, err)
		}
		objects = append(objects, parsed...)
	}
	for _, crd := range crds {
		parsed, err := parse(crd.Filename, crd.File.Data)
		if err != nil {
			return Set{}, fmt.Errorf("chart %s: %w", c.Release, err)
		}
		objects = append(objects, parsed...)
	}
	c.defaultNamespaces(objects)
	return newSet(objects), nil
}

// render returns the output of each template, and the files of crds/.
func (c Chart) render(now time.Time) (map[string]string, []chartv2.CRD, error) {
	chart, err := c.load()
	if err != nil {
		return nil, nil, err
	}
	values, err := plainValues(c.Values)
	if err != nil {
		return nil, nil, err
	}
	if err := checkKeys(chart, values); err != nil {
		return nil, nil, err
	}
	caps, err := c.capabilities()
	if err != nil {
		return nil, nil, err
	}
	if want := chart.Metadata.KubeVersion; want != "" && !chartv2util.IsCompatibleRange(want, caps.KubeVersion.String()) {
		return nil, nil, fmt.Errorf("needs Kubernetes %s, not %s", want, caps.KubeVersion.Version)
	}
	if err := chartv2util.ProcessDependencies(chart, values); err != nil {
		return nil, nil, err
	}
	release := common.ReleaseOptions{Name: c.Release, Namespace: c.Namespace, Revision: 1, IsInstall: true}
	all, err := chartutil.ToRenderValues(chart, values, release, caps)
	if err != nil {
		return nil, nil, err
	}
	renderer := engine.Engine{CustomTemplateFuncs: template.FuncMap{
		"now": func() time.Time { return now },
	}}
	rendered, err := renderer.Render(chart, all)
	if err != nil {
		return nil, nil, err
	}
	maps.DeleteFunc(rendered, func(name, _ string) bool { return path.Base(name) == "NOTES.txt" })
	return rendered, chart.CRDObjects(), nil
}

// load reads the chart's files, except those that .helmignore names.
func (c Chart) load() (*chartv2.Chart, error) {
	rules := ignore.Empty()
	if data, err := fs.ReadFile(c.Tree, ignore.HelmIgnore); err == nil {
		if rules, err = ignore.Parse(bytes.NewReader(data)); err != nil {
			return nil, fmt.Errorf("%s: %w", ignore.HelmIgnore, err)
		}
	}
	rules.AddDefaults()
	var files []*archive.BufferedFile
	err := fs.WalkDir(c.Tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if rules.Ignore(name, info) {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if entry.IsDir() {
			return nil
		}
		data, err := fs.ReadFile(c.Tree, name)
		files = append(files, &archive.BufferedFile{Name: name, ModTime: info.ModTime(), Data: data})
		return err
	})
	if err != nil {
		return nil, err
	}
	chart, err := loader.LoadFiles(files)
	if err != nil {
		return nil, err
	}
	if c.Version != "" {
		chart.Metadata.Version = c.Version
	}
	if c.AppVersion != "" {
		chart.Metadata.AppVersion = c.AppVersion
	}
	return chart, nil
}

// plainValues gives Go values the shape that a values file would have.
func plainValues(values map[string]any) (map[string]any, error) {
	data, err := json.Marshal(values)
	if err != nil {
		return nil, fmt.Errorf("values: %w", err)
	}
	plain := map[string]any{}
	if err := json.Unmarshal(data, &plain); err != nil {
		return nil, fmt.Errorf("values: %w", err)
	}
	if plain == nil { // from null
		plain = map[string]any{}
	}
	return plain, nil
}

// checkKeys rejects top-level values that the chart does not know, because
// Helm ignores them in silence.
func checkKeys(chart *chartv2.Chart, values map[string]any) error {
	known, err := knownKeys(chart)
	if err != nil || len(known) == 0 {
		return err
	}
	var problems []error
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if slices.Contains(known, key) {
			continue
		}
		nearest := slices.MinFunc(known, func(a, b string) int {
			return levenshtein.Distance(key, a, nil) - levenshtein.Distance(key, b, nil)
		})
		hint := "it has " + strings.Join(known, ", ")
		if levenshtein.Distance(key, nearest, nil) <= 1+len(key)/3 {
			hint = fmt.Sprintf("did you mean %q?", nearest)
		}
		problems = append(problems, fmt.Errorf("the chart has no value %q; %s", key, hint))
	}
	return errors.Join(problems...)
}

// layeredDefaults is where Istio's charts keep their default values, so that a
// profile can come between these and what the user sets, at the top. Nobody
// else may set this key.
const layeredDefaults = "_internal_defaults_do_not_set"

// knownKeys lists the top-level values of a chart, or nothing when the chart
// does not say which it has.
func knownKeys(chart *chartv2.Chart) ([]string, error) {
	var declared struct {
		Properties map[string]any `json:"properties"`
	}
	if len(chart.Schema) > 0 {
		if err := json.Unmarshal(chart.Schema, &declared); err != nil {
			return nil, fmt.Errorf("values.schema.json: %w", err)
		}
	}
	values := chart.Values
	layered, isLayered := values[layeredDefaults].(map[string]any)
	if isLayered {
		values = layered
	}
	// Keys commented out in values.yaml are in the schema alone.
	known := slices.AppendSeq(slices.Collect(maps.Keys(values)), maps.Keys(declared.Properties))
	if len(known) == 0 {
		return nil, nil
	}
	if isLayered {
		known = append(known, "profile", "platform", "compatibilityVersion")
	}
	known = append(known, "global", "tags")
	for _, dependency := range chart.Metadata.Dependencies {
		known = append(known, dependency.Name)
		if dependency.Alias != "" {
			known = append(known, dependency.Alias)
		}
	}
	slices.Sort(known)
	return slices.Compact(known), nil
}

// kubernetesAPIs are the API versions that a cluster of DefaultKubeVersion or
// later serves. Helm's own default also lists retired ones.
var kubernetesAPIs = []schema.GroupVersion{
	{Version: "v1"},
	{Group: "admissionregistration.k8s.io", Version: "v1"},
	{Group: "apiextensions.k8s.io", Version: "v1"},
	{Group: "apiregistration.k8s.io", Version: "v1"},
	{Group: "apps", Version: "v1"},
	{Group: "authentication.k8s.io", Version: "v1"},
	{Group: "authorization.k8s.io", Version: "v1"},
	{Group: "autoscaling", Version: "v1"},
	{Group: "autoscaling", Version: "v2"},
	{Group: "batch", Version: "v1"},
	{Group: "certificates.k8s.io", Version: "v1"},
	{Group: "coordination.k8s.io", Version: "v1"},
	{Group: "discovery.k8s.io", Version: "v1"},
	{Group: "events.k8s.io", Version: "v1"},
	{Group: "flowcontrol.apiserver.k8s.io", Version: "v1"},
	{Group: "networking.k8s.io", Version: "v1"},
	{Group: "node.k8s.io", Version: "v1"},
	{Group: "policy", Version: "v1"},
	{Group: "rbac.authorization.k8s.io", Version: "v1"},
	{Group: "scheduling.k8s.io", Version: "v1"},
	{Group: "storage.k8s.io", Version: "v1"},
}

// capabilities describes the cluster to the templates.
func (c Chart) capabilities() (*common.Capabilities, error) {
	version := c.KubeVersion
	if version == "" {
		version = DefaultKubeVersion
	}
	parsed, err := common.ParseKubeVersion(version)
	if err != nil {
		return nil, fmt.Errorf("version of Kubernetes %q: %w", version, err)
	}
	apis := common.VersionSet(slices.Clone(c.APIVersions))
	for _, gv := range kubernetesAPIs {
		apis = append(apis, gv.String())
		// Templates may ask for group/version/Kind as well.
		for kind := range scheme.KnownTypes(gv) {
			apis = append(apis, gv.String()+"/"+kind)
		}
	}
	slices.Sort(apis)
	caps := common.DefaultCapabilities.Copy()
	caps.KubeVersion = *parsed
	caps.APIVersions = apis
	return caps, nil
}

// defaultNamespaces puts namespaced objects without a namespace into that of
// the release, as Helm does when it talks to the cluster.
func (c Chart) defaultNamespaces(objects []*Object) {
	scopes := map[schema.GroupKind]bool{}
	for _, o := range objects {
		if isCRD(o) {
			gk, clusterScoped := definition(o)
			scopes[gk] = clusterScoped
		}
	}
	for _, o := range objects {
		gk := o.GroupVersionKind().GroupKind()
		clusterScoped, known := scopes[gk]
		if !known {
			clusterScoped = isClusterScoped(gk)
		}
		if !clusterScoped && o.GetNamespace() == "" {
			o.SetNamespace(c.Namespace)
		}
	}
}
