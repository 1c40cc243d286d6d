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

// backendURL is where the user has chosen to keep state: by environment, in the project, or by `pulumi login`. Empty: the
// user has not.
func backendURL(project string) (string, error) {
	if url := os.Getenv("PULUMI_BACKEND_URL"); url != "" {
		return url, nil
	}
	url, err := projectBackend(project)
	if url == "" && err == nil {
		url = currentLogin()
	}
	return url, err
}

// projectBackend is the backend that the project's settings name, or nothing.
func projectBackend(project string) (string, error) {
	var settings struct {
		Backend struct {
			URL string `json:"url"`
		} `json:"backend"`
	}
	data, err := os.ReadFile(filepath.Join(project, "Pulumi.yaml"))
	if err != nil {
		return "", err
	}
	if err := yaml.Unmarshal(data, &settings); err != nil {
		return "", fmt.Errorf("read Pulumi.yaml: %w", err)
	}
	return settings.Backend.URL, nil
}

// needsLogin tells whether the chosen backend is one that `pulumi login` must have been used for: a service, or
// whatever the login itself has chosen.
func needsLogin(project string) bool {
	url := os.Getenv("PULUMI_BACKEND_URL")
	if url == "" {
		url, _ = projectBackend(project) // read before without a fault
	}
	return url == "" || strings.HasPrefix(url, "http")
}

// currentLogin is the backend that `pulumi login` has chosen. An unreadable file counts as none: the engine complains
// about it itself.
func currentLogin() string {
	home := os.Getenv("PULUMI_HOME")
	if home == "" {
		user, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		home = filepath.Join(user, ".pulumi")
	}
	var credentials struct {
		Current string `json:"current"`
	}
	data, err := os.ReadFile(filepath.Join(home, "credentials.json"))
	if err != nil || json.Unmarshal(data, &credentials) != nil {
		return ""
	}
	return credentials.Current
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

// ownHome gives the engine a home of ours. There, what it would use as the directory of its logs is a file: the engine
// writes every property of every resource to a compressed, encrypted log of its own, which takes more of a run's time
// than everything else together, and nothing reads it. Without the directory it goes on without the log.
func (p *place) ownHome(dir string) error {
	p.home = filepath.Join(dir, "home")
	if err := os.MkdirAll(p.home, 0o700); err != nil {
		return fmt.Errorf("make the engine's home: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(p.home, "logs"), os.O_RDONLY|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("switch the engine's log off: %w", err)
	}
	return f.Close()
}

// copyProject puts the project's settings and the stack's file into dir, so that nothing is written to the user's own.
// What the engine has added to the copy in an earlier run, which is how the stack's secrets are encrypted, is kept as long
// as the stack's file does not say it.
func copyProject(project, stack, dir string) error {
	settings, err := os.ReadFile(filepath.Join(project, "Pulumi.yaml"))
	if err != nil {
		return err
	}
	name := "Pulumi." + stack + ".yaml"
	file, err := os.ReadFile(filepath.Join(project, name))
	if err != nil {
		return err
	}
	if text := string(file); !hasLine(text, "encryptionsalt:") && !hasLine(text, "encryptedkey:") {
		before, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for line := range strings.Lines(string(before)) {
			if key := engineKey(line); key != "" && !hasLine(text, key) {
				file = append(append(file, '\n'), line...)
			}
		}
	}
	return errors.Join(
		replaceFile(filepath.Join(dir, "Pulumi.yaml"), settings),
		replaceFile(filepath.Join(dir, name), file))
}

// replaceFile writes a file such that whoever reads it meanwhile finds all of the old or all of the new one.
func replaceFile(name string, content []byte) error {
	next, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(next.Name()) //nolint:errcheck // renamed, if all is well
	_, err = next.Write(content)
	if err := errors.Join(err, next.Close()); err != nil {
		return err
	}
	return os.Rename(next.Name(), name)
}

// engineKey is the key of a line that the engine has added to a stack's file; empty: it has not.
func engineKey(line string) string {
	for _, key := range []string{"secretsprovider:", "encryptedkey:", "encryptionsalt:"} {
		if strings.HasPrefix(line, key) {
			return key
		}
	}
	return ""
}

func hasLine(text, prefix string) bool {
	return strings.HasPrefix(text, prefix) || strings.Contains(text, "\n"+prefix)
}
