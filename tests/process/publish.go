package process

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// publish writes a volume as a kubelet does, for programs that depend on it: all files lie in a directory with a new name
// for each version, to which ..data is a link; what stands in the volume itself are links through that one. So all files
// change in one step, and whoever watches the volume sees that ..data is replaced and that the old directory goes.
func publish(dir string, files []file) error {
	if unchanged(dir, files) {
		return nil
	}
	data, next := filepath.Join(dir, "..data"), filepath.Join(dir, "..data_tmp")
	last, err := os.Readlink(data)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	version, err := os.MkdirTemp(dir, "..version_")
	if err != nil {
		return err
	}
	if err := errors.Join(os.Chmod(version, 0o755), writeAll(version, files)); err != nil {
		return err
	}
	if err := errors.Join(os.Symlink(filepath.Base(version), next), os.Rename(next, data)); err != nil {
		return err
	}
	for _, f := range files {
		name, _, _ := strings.Cut(f.path, "/")
		err := os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name))
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	if last == "" {
		return nil
	}
	return os.RemoveAll(filepath.Join(dir, last))
}

// unchanged tells whether the volume has these files already.
func unchanged(dir string, files []file) bool {
	for _, f := range files {
		content, err := os.ReadFile(filepath.Join(dir, f.path))
		if err != nil || string(content) != f.content {
			return false
		}
	}
	return true
}
