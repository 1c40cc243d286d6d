package artifact

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
	"sigs.k8s.io/yaml"
)

// RootVariable names the environment variable that points to the project's
// root, for programs that run outside it.
const RootVariable = "PLATFORM_ROOT"

// Ref names an artefact of the bill of materials: a module's, or a chart that
// is published in no module but in a Helm repository.
type Ref struct {
	// Module is the path of a module that artifacts/go.mod pins.
	Module string
	// Path is a directory or a file inside the module, with slashes. Empty
	// means the whole module. {version} stands for the pinned version without
	// its v, for modules that name files after it.
	Path string
	// Repository is the URL of a Helm repository, in place of Module.
	Repository string
	// Chart is the chart's name in Repository, Version its exact version.
	Chart, Version string
}

// Override replaces an artefact of the bill of materials. It holds exactly one
// of Directory; Repository, Chart and Version; or OCI. The zero value replaces
// nothing.
type Override struct {
	// Directory holds a chart, or YAML files. A relative path starts at the
	// project's root.
	Directory string `json:"directory,omitempty"`
	// Repository is the URL of a Helm repository.
	Repository string `json:"repository,omitempty"`
	// Chart is the chart's name in Repository.
	Chart string `json:"chart,omitempty"`
	// Version is the chart's exact version in Repository.
	Version string `json:"version,omitempty"`
	// OCI is a chart in an OCI registry, by digest:
	// oci://host/repository@sha256:….
	OCI string `json:"oci,omitempty"`
}

// Tree is a verified file tree.
type Tree struct {
	fs.FS
	// Version is the module's version (v1.21.2), or that of an override's chart.
	Version string
	// Origin says where the tree comes from, for people.
	Origin string
}

// Store fetches artefacts.
type Store struct {
	root  string
	cache string
	pins  map[string]string
	sums  map[string]string
}

// FindRoot returns the project's root: $PLATFORM_ROOT, else the nearest
// directory from the working directory upwards that holds artifacts/go.mod.
func FindRoot() (string, error) {
	if root := os.Getenv(RootVariable); root != "" {
		if _, err := os.Stat(billOfMaterials(root)); err != nil {
			return "", fmt.Errorf("%s=%s is not the project's root: %w", RootVariable, root, err)
		}
		return filepath.Abs(root)
	}
	start, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the project's root: %w", err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(billOfMaterials(dir)); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no artifacts/go.mod in %s or above it: run inside the project or set %s to its root", start, RootVariable)
		}
	}
}

// Open reads the bill of materials of the project at root.
func Open(root string) (*Store, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("opening the bill of materials: %w", err)
	}
	name := billOfMaterials(root)
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("opening the bill of materials: %w", err)
	}
	file, err := modfile.Parse(name, data, nil)
	if err != nil {
		return nil, fmt.Errorf("reading the bill of materials: %w", err)
	}
	pins := map[string]string{}
	for _, r := range file.Require {
		pins[r.Mod.Path] = r.Mod.Version
	}
	sums, err := readSums(filepath.Join(root, "artifacts", "go.sum"))
	if err != nil {
		return nil, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	return &Store{
		root:  root,
		cache: filepath.Join(cache, "controlplane-infrastructure", "artifacts"),
		pins:  pins,
		sums:  sums,
	}, nil
}

// Fetch returns the tree that ref names, or the one that o puts in its place.
func (s *Store) Fetch(ctx context.Context, ref Ref, o *Override) (*Tree, error) {
	if o == nil || *o == (Override{}) {
		return s.original(ctx, ref)
	}
	if err := o.Validate(); err != nil {
		return nil, err
	}
	switch {
	case o.Directory != "":
		return s.directory(o.Directory)
	case o.OCI != "":
		return s.oci(ctx, o.OCI)
	default:
		return s.repository(ctx, o)
	}
}

// original returns the tree that ref names.
func (s *Store) original(ctx context.Context, ref Ref) (*Tree, error) {
	if ref.Repository == "" {
		return s.module(ctx, ref)
	}
	tree, err := s.repository(ctx, &Override{Repository: ref.Repository, Chart: ref.Chart, Version: ref.Version})
	if err != nil {
		return nil, fmt.Errorf("chart %s %s: %w; where that cannot be reached, override the chart by a directory, another repository or an OCI reference that holds a copy", ref.Chart, ref.Version, err)
	}
	return tree, nil
}

// Validate reports an override that is incomplete or names several sources.
func (o *Override) Validate() error {
	const allowed = "an override holds exactly one of directory; repository, chart and version; oci"
	helm := o.Repository != "" || o.Chart != "" || o.Version != ""
	sources := 0
	for _, set := range []bool{o.Directory != "", helm, o.OCI != ""} {
		if set {
			sources++
		}
	}
	switch {
	case sources == 0:
		return errors.New(allowed + "; all are empty")
	case sources > 1:
		return fmt.Errorf("%s; it has %s", allowed, strings.Join(o.keys(), ", "))
	case helm && (o.Repository == "" || o.Chart == "" || o.Version == ""):
		return fmt.Errorf("a chart of a Helm repository needs repository, chart and version; only %s is given", strings.Join(o.keys(), ", "))
	case o.OCI != "":
		_, err := parseOCI(o.OCI)
		return err
	}
	return nil
}

func (o *Override) keys() []string {
	var keys []string
	for _, f := range []struct{ key, value string }{
		{"directory", o.Directory}, {"repository", o.Repository}, {"chart", o.Chart},
		{"version", o.Version}, {"oci", o.OCI},
	} {
		if f.value != "" {
			keys = append(keys, f.key)
		}
	}
	return keys
}

func (s *Store) directory(dir string) (*Tree, error) {
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(s.root, dir)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("override directory: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("override directory: %s is a file", dir)
	}
	tree := &Tree{FS: os.DirFS(dir), Origin: dir}
	tree.Version, err = chartVersion(tree.FS)
	if err != nil {
		return nil, fmt.Errorf("override directory %s: %w", dir, err)
	}
	return tree, nil
}

// chartVersion reads the version of the chart in fsys; a tree without
// Chart.yaml holds plain manifests and has none.
func chartVersion(fsys fs.FS) (string, error) {
	data, err := fs.ReadFile(fsys, "Chart.yaml")
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var chart struct {
		Version string `json:"version"`
	}
	if err := yaml.Unmarshal(data, &chart); err != nil {
		return "", fmt.Errorf("reading Chart.yaml: %w", err)
	}
	return chart.Version, nil
}

func billOfMaterials(root string) string { return filepath.Join(root, "artifacts", "go.mod") }
