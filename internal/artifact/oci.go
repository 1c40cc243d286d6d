package artifact

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
	"oras.land/oras-go/v2/registry/remote/retry"
)

// chartLayer is the media type of a Helm chart in an OCI registry.
const chartLayer = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"

// parseOCI accepts references by digest only: a tag can be moved.
func parseOCI(ref string) (registry.Reference, error) {
	const example = "oci://host/repository@sha256:…"
	name, ok := strings.CutPrefix(ref, "oci://")
	if !ok {
		return registry.Reference{}, fmt.Errorf("oci %q: must look like %s", ref, example)
	}
	parsed, err := registry.ParseReference(name)
	if err != nil {
		return registry.Reference{}, fmt.Errorf("oci %q: must look like %s: %w", ref, example, err)
	}
	d, err := parsed.Digest()
	if err != nil || d.Algorithm() != digest.SHA256 {
		return registry.Reference{}, fmt.Errorf("oci %q: needs a digest, like %s; a tag can be moved", ref, example)
	}
	return parsed, nil
}

// oci returns a Helm chart from an OCI registry. Credentials are those of the
// user's Docker configuration.
func (s *Store) oci(ctx context.Context, name string) (*Tree, error) {
	ref, err := parseOCI(name)
	if err != nil {
		return nil, err
	}
	repo := &remote.Repository{Reference: ref, PlainHTTP: isLoopback(hostname(ref.Registry))}
	client := &auth.Client{Client: retry.DefaultClient, Cache: auth.NewCache()}
	if store, err := credentials.NewStoreFromDocker(credentials.StoreOptions{}); err == nil {
		client.Credential = credentials.Credential(store)
	}
	repo.Client = client

	data, err := s.blob(digest.Digest(ref.Reference).Encoded(), func() ([]byte, error) {
		_, body, err := repo.Manifests().FetchReference(ctx, ref.Reference)
		if err != nil {
			return nil, err
		}
		defer body.Close()
		return readLimited(body)
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	layer, err := chartLayerOf(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s.archive(name, layer.Digest.Encoded(), func() ([]byte, error) {
		blob, err := repo.Fetch(ctx, layer)
		if err != nil {
			return nil, err
		}
		defer blob.Close()
		return readLimited(blob)
	})
}

// chartLayerOf finds the chart in an image manifest.
func chartLayerOf(data []byte) (ocispec.Descriptor, error) {
	var manifest ocispec.Manifest
	if err := json.Unmarshal(data, &manifest); err != nil {
		return ocispec.Descriptor{}, fmt.Errorf("reading the manifest: %w", err)
	}
	for _, layer := range manifest.Layers {
		if layer.MediaType == chartLayer {
			return layer, nil
		}
	}
	return ocispec.Descriptor{}, errors.New("not a Helm chart: no layer of type " + chartLayer)
}

func hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.Trim(hostport, "[]")
}
