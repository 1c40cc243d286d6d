package render

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// ListFile names, in the directory that is written to, what has been written, so that the next time nothing else is removed.
const ListFile = ".rendered"

const listHead = "# Written by `platform render`: the files that it may change and remove.\n"

// ForeignError says that a directory holds what is not ours to write over.
type ForeignError struct {
	Dir string
	// File is one of what is there.
	File string
}

func (e *ForeignError) Error() string {
	return fmt.Sprintf("directory %s holds %s, which has not been rendered: name an empty directory or one that was rendered to", e.Dir, e.File)
}

// Write makes a directory hold the manifests. Files of an earlier time that are no longer among them are removed. Others stay as
// they are, unless force says that they may be written over; nothing is written to a directory that has no list of such files and is
// not empty.
func (m *Manifests) Write(dir string, force bool) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the directory of the manifests: %w", err)
	}
	// Whatever a list or a link in the directory says, nothing outside of it is touched.
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("open the directory of the manifests: %w", err)
	}
	defer root.Close()
	before, err := readList(root)
	if err != nil {
		return err
	}
	if !force {
		if err := m.refuseForeign(root, before); err != nil {
			return err
		}
	}
	// Should this be interrupted, the list names what may have been written by then.
	if err := writeList(root, append(m.Files(), before...)); err != nil {
		return err
	}
	for _, file := range m.Files() {
		if err := write(root, file, m.files[file]); err != nil {
			return fmt.Errorf("write %s: %w", filepath.Join(dir, file), err)
		}
	}
	for _, file := range before {
		if m.files[file] == nil {
			if err := remove(root, file); err != nil {
				return fmt.Errorf("remove %s, which is no longer rendered: %w", filepath.Join(dir, file), err)
			}
		}
	}
	return writeList(root, m.Files())
}

// CheckDir fails with a [ForeignError] when a directory is not one to write to, so that nothing has to be rendered to find out. One that
// does not exist is.
func CheckDir(dir string) error {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open the directory of the manifests: %w", err)
	}
	defer root.Close()
	before, err := readList(root)
	if err != nil || before != nil {
		return err
	}
	return refuseAny(root)
}

// refuseAny fails when there is anything in a directory.
func refuseAny(root *os.Root) error {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err == nil && len(entries) > 0 {
		err = &ForeignError{Dir: root.Name(), File: entries[0].Name()}
	}
	return err
}

// refuseForeign fails when there are files that were not rendered: any, before the first time, and afterwards those in the way.
func (m *Manifests) refuseForeign(root *os.Root, before []string) error {
	if before == nil {
		return refuseAny(root)
	}
	for _, file := range m.Files() {
		_, err := root.Lstat(file)
		switch {
		case err == nil && !slices.Contains(before, file):
			return &ForeignError{Dir: root.Name(), File: file}
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return err
		}
	}
	return nil
}

// readList are the files that were rendered before; nil if none ever were.
func readList(root *os.Root) ([]string, error) {
	data, err := root.ReadFile(ListFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the list of rendered files: %w", err)
	}
	files := []string{}
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			files = append(files, line)
		}
	}
	return files, nil
}

func writeList(root *os.Root, files []string) error {
	slices.Sort(files)
	text := listHead + strings.Join(slices.Compact(files), "\n") + "\n"
	if err := root.WriteFile(ListFile, []byte(text), 0o644); err != nil {
		return fmt.Errorf("write the list of rendered files: %w", err)
	}
	return nil
}

// write leaves a file alone that is as it should be.
func write(root *os.Root, file string, data []byte) error {
	if now, err := root.ReadFile(file); err == nil && bytes.Equal(now, data) {
		return nil
	}
	if err := root.MkdirAll(path.Dir(file), 0o755); err != nil {
		return err
	}
	return root.WriteFile(file, data, 0o644)
}

// remove removes a file and the directories that have become empty by that.
func remove(root *os.Root, file string) error {
	if err := root.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for dir := path.Dir(file); dir != "."; dir = path.Dir(dir) {
		if root.Remove(dir) != nil {
			break // others have files there
		}
	}
	return nil
}
