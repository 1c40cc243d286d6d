package automation

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

// backendConfigured tells whether the user has chosen where state is kept: by environment, in the project, or by
// `pulumi login`.
func backendConfigured(project string) (bool, error) {
	if os.Getenv("PULUMI_BACKEND_URL") != "" {
		return true, nil
	}
	var settings struct {
		Backend struct {
			URL string `json:"url"`
		} `json:"backend"`
	}
	data, err := os.ReadFile(filepath.Join(project, "Pulumi.yaml"))
	if err != nil {
		return false, err
	}
	if err := yaml.Unmarshal(data, &settings); err != nil {
		return false, fmt.Errorf("read Pulumi.yaml: %w", err)
	}
	return settings.Backend.URL != "" || loggedIn(), nil
}

// loggedIn tells whether `pulumi login` has chosen a backend. An unreadable file counts as no: the engine complains
// about it itself.
func loggedIn() bool {
	home := os.Getenv("PULUMI_HOME")
	if home == "" {
		user, err := os.UserHomeDir()
		if err != nil {
			return false
		}
		home = filepath.Join(user, ".pulumi")
	}
	var credentials struct {
		Current string `json:"current"`
	}
	data, err := os.ReadFile(filepath.Join(home, "credentials.json"))
	return err == nil && json.Unmarshal(data, &credentials) == nil && credentials.Current != ""
}

// stateDir is where stacks keep their state when no backend is chosen.
func stateDir() (string, error) {
	base := os.Getenv("XDG_STATE_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("no place for the stacks' state: %w; set PULUMI_BACKEND_URL", err)
		}
		base = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(base, "controlplane-infrastructure"), nil
}

// ownBackend keeps the state in a directory of ours, encrypted with a passphrase that is made once and kept beside it
// unless the user gives one.
func (p *place) ownBackend(dir string) error {
	state := filepath.Join(dir, "state")
	if err := os.MkdirAll(state, 0o700); err != nil {
		return fmt.Errorf("make the directory of the stacks' state: %w", err)
	}
	p.env["PULUMI_BACKEND_URL"] = "file://" + filepath.ToSlash(state)
	if p.env.has("PULUMI_CONFIG_PASSPHRASE") || p.env.has("PULUMI_CONFIG_PASSPHRASE_FILE") {
		return nil
	}
	file := filepath.Join(dir, "passphrase")
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		_, err = f.WriteString(rand.Text())
		err = errors.Join(err, f.Close())
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("write the state's passphrase: %w", err)
	}
	p.env["PULUMI_CONFIG_PASSPHRASE_FILE"] = file
	return nil
}

// copyProject puts the project's settings and the stack's file into dir, so that nothing is written to the user's own.
// The engine adds an encryption salt to a stack file without one; that of an earlier run is kept.
func copyProject(project, stack, dir string) error {
	const saltKey = "encryptionsalt:"
	settings, err := os.ReadFile(filepath.Join(project, "Pulumi.yaml"))
	if err != nil {
		return err
	}
	name := "Pulumi." + stack + ".yaml"
	file, err := os.ReadFile(filepath.Join(project, name))
	if err != nil {
		return err
	}
	if !hasLine(string(file), saltKey) {
		before, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for line := range strings.Lines(string(before)) {
			if strings.HasPrefix(line, saltKey) {
				file = append(append(file, '\n'), line...)
			}
		}
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), settings, 0o600),
		os.WriteFile(filepath.Join(dir, name), file, 0o600))
}

func hasLine(text, prefix string) bool {
	return strings.HasPrefix(text, prefix) || strings.Contains(text, "\n"+prefix)
}
