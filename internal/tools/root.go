package tools

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

const module = "github.com/telekom/controlplane-infrastructure"

var moduleLine = regexp.MustCompile(`(?m)^module\s+` + regexp.QuoteMeta(module) + `\s*$`)

// Root returns the project's directory: the nearest one from the working directory upwards that holds the project's
// go.mod, or its Pulumi.yaml beside tools/.
func Root() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the project's directory: %w", err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		found, err := isRoot(dir)
		if err != nil {
			return "", fmt.Errorf("find the project's directory: %w", err)
		}
		if found {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("neither %s nor a directory above it is the project's (no go.mod of module %s): run this inside a clone", start, module)
		}
	}
}

func isRoot(dir string) (bool, error) {
	content, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err == nil {
		return moduleLine.Match(content), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	return exists(filepath.Join(dir, "Pulumi.yaml")) && exists(filepath.Join(dir, "tools")), nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
