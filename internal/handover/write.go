package handover

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

const contractFile = "contract.json"

// Write writes the handover of a stack into a directory, all of it or nothing. Values are the stack's outputs, with secret
// ones in the clear.
func Write(stack string, values map[string]any, given Options) (*Contract, error) {
	out, err := Read(values)
	if err != nil {
		return nil, fmt.Errorf("handover of stack %s: %w", stack, err)
	}
	opt, err := given.complete(out)
	if err != nil {
		return nil, err
	}
	if opt.Dir, err = filepath.Abs(opt.Dir); err != nil {
		return nil, err
	}
	if err := replaceable(opt.Dir); err != nil {
		return nil, err
	}
	contract, files, err := render(stack, out, opt, given)
	if err != nil {
		return nil, err
	}
	return contract, place(opt, files)
}

// render makes every file of the directory.
func render(stack string, out *Outputs, opt, given Options) (*Contract, []file, error) {
	files, err := newOverlay(out, opt, filepath.Join(opt.Dir, "overlay"))
	if err != nil {
		return nil, nil, err
	}
	zoneFiles, err := zone(out, opt)
	if err != nil {
		return nil, nil, err
	}
	files = append(files, zoneFiles...)
	contract := newContract(stack, out, opt, given)
	for _, f := range append(slices.Clone(files), file{path: "README.md"}, file{path: contractFile}) {
		contract.Files = append(contract.Files, FileInfo{Path: f.path, Secret: f.secret})
	}
	slices.SortFunc(contract.Files, func(a, b FileInfo) int { return strings.Compare(a.Path, b.Path) })
	instructions, err := readme(contract)
	if err != nil {
		return nil, nil, err
	}
	data, err := contract.JSON()
	if err != nil {
		return nil, nil, err
	}
	return contract, append(files, file{path: "README.md", data: instructions}, file{path: contractFile, data: data}), nil
}

// replaceable tells whether a directory may be written: there is none, or it holds nothing, or only what an earlier handover
// has written there.
func replaceable(dir string) error {
	var earlier Contract
	if data, err := os.ReadFile(filepath.Join(dir, contractFile)); err == nil {
		_ = json.Unmarshal(data, &earlier) // what is no contract lists no files
	}
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && path == dir:
			return nil
		case err != nil || d.IsDir():
			return err
		}
		relative, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		written := func(f FileInfo) bool { return f.Path == filepath.ToSlash(relative) }
		if slices.ContainsFunc(earlier.Files, written) {
			return nil
		}
		return &Invalid{Err: fmt.Errorf("out: %s holds %s, which is not of an earlier handover; name an empty directory, or a new one",
			dir, relative)}
	})
}

// place writes the files beside the directory first, so that it is whole, or as it was before. A base that is a directory is
// as far from there, so that what does not build is found in time.
func place(opt Options, files []file) error {
	dir := opt.Dir
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil { // #nosec G301 -- only the directory itself holds secrets
		return err
	}
	fresh, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+"-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(fresh) }()
	for _, f := range files {
		if err := f.write(fresh); err != nil {
			return fmt.Errorf("write the handover: %w", err)
		}
	}
	if !isURL(opt.Base) {
		if _, err := Build(filepath.Join(fresh, "overlay")); err != nil {
			return fmt.Errorf("the overlay does not fit the manifests in %s: %w", opt.Base, err)
		}
	}
	old := fresh + "-old"
	if err := os.Rename(dir, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	defer func() { _ = os.RemoveAll(old) }()
	if err := os.Rename(fresh, dir); err != nil {
		_ = os.Rename(old, dir)
		return err
	}
	return nil
}

func (f file) write(dir string) error {
	path := filepath.Join(dir, filepath.FromSlash(f.path))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if f.secret {
		mode = 0o600
	}
	return os.WriteFile(path, f.data, mode)
}

// Build renders a kustomization, as kubectl does. Every container has to have an image: one without is a container that a
// patch has added, because the release calls its own otherwise.
func Build(dir string) (resmap.ResMap, error) {
	objects, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		return nil, err
	}
	for _, o := range objects.Resources() {
		if o.GetKind() != "Deployment" {
			continue
		}
		containers, err := o.GetSlice("spec.template.spec.containers")
		if err != nil {
			return nil, fmt.Errorf("containers of Deployment %s: %w", o.GetName(), err)
		}
		for _, c := range containers {
			container, _ := c.(map[string]any)
			if container["image"] == nil {
				return nil, fmt.Errorf("there is no container %v in Deployment %s", container["name"], o.GetName())
			}
		}
	}
	return objects, nil
}
