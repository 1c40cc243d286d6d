package artifact

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing/fstest"

	"helm.sh/helm/v4/pkg/chart/loader/archive"
	"sigs.k8s.io/yaml"
)

// maxArchive bounds what is read from a server; real charts are below 1 MiB.
const maxArchive = 64 << 20

// index is the part of a Helm repository's index.yaml that is needed to find
// a chart. Helm's own package for it would double what the program compiles.
type index struct {
	Entries map[string][]struct {
		Version string   `json:"version"`
		Digest  string   `json:"digest"`
		URLs    []string `json:"urls"`
	} `json:"entries"`
}

// repository returns a chart of a Helm repository. The repository's index is
// read each time, so that a chart that was replaced in place is noticed.
func (s *Store) repository(ctx context.Context, o *Override) (*Tree, error) {
	base, err := url.Parse(strings.TrimSuffix(o.Repository, "/") + "/")
	if err != nil {
		// The URL may carry a password, and the parser's error the URL.
		return nil, fmt.Errorf("repository of chart %s is not a URL", o.Chart)
	}
	if base.Scheme != "https" && !(base.Scheme == "http" && isLoopback(base.Hostname())) {
		return nil, fmt.Errorf("repository %q: only https:// is allowed (http:// on this machine only)", base.Redacted())
	}
	data, err := get(ctx, base.JoinPath("index.yaml"))
	if err != nil {
		return nil, fmt.Errorf("index of repository %s: %w", base.Redacted(), err)
	}
	var idx index
	if err := yaml.Unmarshal(data, &idx); err != nil {
		return nil, fmt.Errorf("index of repository %s: %w", base.Redacted(), err)
	}
	location, digest, err := idx.find(base, o.Chart, o.Version)
	if err != nil {
		return nil, fmt.Errorf("repository %s: %w", base.Redacted(), err)
	}
	origin := fmt.Sprintf("%s %s %s", base.Redacted(), o.Chart, o.Version)
	return s.archive(origin, digest, func() ([]byte, error) { return get(ctx, location) })
}

func (i index) find(base *url.URL, chart, version string) (*url.URL, string, error) {
	versions, ok := i.Entries[chart]
	if !ok {
		return nil, "", fmt.Errorf("no chart %q", chart)
	}
	var known []string
	for _, v := range versions {
		known = append(known, v.Version)
		// Publishers are not of one mind on the leading v.
		if strings.TrimPrefix(v.Version, "v") != strings.TrimPrefix(version, "v") {
			continue
		}
		if v.Digest == "" || len(v.URLs) == 0 {
			return nil, "", fmt.Errorf("chart %s %s has no digest or no URL in the index, so it cannot be verified", chart, version)
		}
		location, err := base.Parse(v.URLs[0])
		if err != nil {
			return nil, "", fmt.Errorf("chart %s %s: %w", chart, version, err)
		}
		// The index may point elsewhere; credentials stay with the repository.
		if location.Host == base.Host && location.User == nil {
			location.User = base.User
		}
		return location, strings.TrimPrefix(v.Digest, "sha256:"), nil
	}
	if len(known) > 5 {
		known = append(known[:5], "…")
	}
	return nil, "", fmt.Errorf("chart %s has no version %q (it has %s)", chart, version, strings.Join(known, ", "))
}

func get(ctx context.Context, location *url.URL) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, location.String(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", location.Redacted(), resp.Status)
	}
	return readLimited(resp.Body)
}

func readLimited(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxArchive+1))
	if err == nil && len(data) > maxArchive {
		err = fmt.Errorf("larger than %d MiB", maxArchive>>20)
	}
	return data, err
}

// archive returns the chart archive with the given SHA-256 digest (hex).
func (s *Store) archive(origin, digest string, fetch func() ([]byte, error)) (*Tree, error) {
	data, err := s.blob(digest, fetch)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", origin, err)
	}
	files, err := archive.LoadArchiveFiles(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", origin, err)
	}
	tree := fstest.MapFS{}
	for _, f := range files {
		tree[f.Name] = &fstest.MapFile{Data: f.Data, Mode: 0o444, ModTime: f.ModTime}
	}
	version, err := chartVersion(tree)
	if err == nil && version == "" {
		err = errors.New("the archive holds no Chart.yaml")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", origin, err)
	}
	return &Tree{FS: tree, Version: version, Origin: origin}, nil
}

// blob returns the content with the given SHA-256 digest (hex), from the user's
// cache when it is there. Both ways the digest is checked.
func (s *Store) blob(digest string, fetch func() ([]byte, error)) ([]byte, error) {
	if raw, err := hex.DecodeString(digest); err != nil || len(raw) != sha256.Size {
		return nil, fmt.Errorf("%q is not a SHA-256 digest", digest)
	}
	name := filepath.Join(s.cache, digest)
	if data, err := os.ReadFile(name); err == nil && sha256Hex(data) == digest {
		return data, nil
	}
	data, err := fetch()
	if err != nil {
		return nil, err
	}
	if got := sha256Hex(data); got != digest {
		return nil, fmt.Errorf("digest mismatch: expected sha256:%s, got sha256:%s", digest, got)
	}
	return data, writeFile(name, data)
}

func sha256Hex(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// writeFile writes as a whole or not at all: several programs share the cache.
func writeFile(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), ".partial-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(data)
	if err := errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), name)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return slices.Contains([]string{"localhost", "localhost."}, host) || ip != nil && ip.IsLoopback()
}
