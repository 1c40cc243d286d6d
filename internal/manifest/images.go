package manifest

import (
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// MirrorImages makes every image come from mirror, a registry with an optional
// path. The original registry stays part of the name, because two registries
// may hold the same repository:
//
//	quay.io/jetstack/cert-manager-webhook:v1.21.2 becomes
//	MIRROR/quay.io/jetstack/cert-manager-webhook:v1.21.2
//
// Names without a registry are those of Docker Hub (docker.io/library/…), a
// port loses its colon (host:5000 becomes host-5000), and images that are on
// the mirror already stay as they are.
//
// Rewritten are the image fields of containers, volumes and custom resources,
// and arguments and environment variables that carry an image: those whose
// name says so, as in --acme-http01-solver-image=…, and values that can be
// nothing else, with a registry and a tag or digest.
func MirrorImages(mirror string) Transform {
	mirror = strings.TrimSuffix(mirror, "/")
	return func(o *Object) error {
		switch {
		case mirror == "", isCRD(o), o.GetKind() == "ConfigMap", o.GetKind() == "Secret":
			return nil
		}
		m := mirrorer{mirror}
		for key, value := range o.Object {
			if key == "metadata" {
				continue
			}
			if err := m.walk(value); err != nil {
				return err
			}
		}
		return nil
	}
}

type mirrorer struct{ mirror string }

func (m mirrorer) walk(node any) error {
	switch node := node.(type) {
	case []any:
		for _, item := range node {
			if err := m.walk(item); err != nil {
				return err
			}
		}
	case map[string]any:
		for key, value := range node {
			if err := m.field(node, key, value); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
		}
	}
	return nil
}

func (m mirrorer) field(parent map[string]any, key string, value any) error {
	switch key {
	case "image", "imageName":
		switch value := value.(type) {
		case string:
			return m.rewrite(parent, key, value)
		case map[string]any: // an image as a volume
			if ref, ok := value["reference"].(string); ok {
				return m.rewrite(value, "reference", ref)
			}
		}
	case "args", "command":
		if list, ok := value.([]any); ok {
			m.arguments(list)
			return nil
		}
	case "env":
		if list, ok := value.([]any); ok {
			m.environment(list)
			return nil
		}
	}
	return m.walk(value)
}

func (m mirrorer) rewrite(parent map[string]any, key, image string) error {
	if image == "" {
		return nil
	}
	mirrored, err := m.name(image)
	if err != nil {
		return err
	}
	parent[key] = mirrored
	return nil
}

// arguments rewrites --flag=image, and --flag followed by image.
func (m mirrorer) arguments(list []any) {
	previous := ""
	for i, item := range list {
		arg, ok := item.(string)
		if !ok {
			continue
		}
		flag, value, assigned := strings.Cut(arg, "=")
		switch {
		case assigned && strings.HasPrefix(flag, "-") && m.carries(flag, value):
			list[i] = flag + "=" + m.mustName(value)
		case !strings.HasPrefix(arg, "-") && m.carries(previous, arg):
			list[i] = m.mustName(arg)
		}
		previous = ""
		if strings.HasPrefix(arg, "-") && !assigned {
			previous = arg
		}
	}
}

func (m mirrorer) environment(list []any) {
	for _, item := range list {
		variable, _ := item.(map[string]any)
		key, _ := variable["name"].(string)
		if value, ok := variable["value"].(string); ok && m.carries(key, value) {
			variable["value"] = m.mustName(value)
		}
	}
}

// carries reports whether a flag or variable of that name holds an image.
func (m mirrorer) carries(key, value string) bool {
	ref, err := name.ParseReference(value)
	if err != nil || !strings.Contains(value, "/") || strings.HasPrefix(value, "/") {
		return false
	}
	// --image-pull-secret=namespace/name is not one.
	if key = strings.ToLower(key); strings.Contains(key, "image") && !strings.Contains(key, "pull") {
		return true
	}
	host, rest, _ := strings.Cut(value, "/")
	return strings.ContainsAny(host, ".:") && ref.Context().RegistryStr() == host && strings.ContainsAny(rest, ":@")
}

// mustName is for values that carries has parsed.
func (m mirrorer) mustName(image string) string {
	mirrored, err := m.name(image)
	if err != nil {
		return image
	}
	return mirrored
}

func (m mirrorer) name(image string) (string, error) {
	if strings.HasPrefix(image, m.mirror+"/") {
		return image, nil
	}
	ref, err := name.ParseReference(image)
	if err != nil {
		return "", fmt.Errorf("image %q: %w", image, err)
	}
	registry := ref.Context().RegistryStr()
	if registry == name.DefaultRegistry {
		registry = "docker.io"
	}
	repository := ref.Context().RepositoryStr()
	// What follows the repository is kept as written: a tag, a digest, both
	// (which the parser would shorten to the digest), or nothing.
	return m.mirror + "/" + strings.ReplaceAll(registry, ":", "-") + "/" + repository + suffix(image), nil
}

// suffix returns the tag and digest of an image.
func suffix(image string) string {
	slash := strings.LastIndex(image, "/")
	if i := strings.IndexAny(image[slash+1:], ":@"); i >= 0 {
		return image[slash+1+i:]
	}
	return ""
}
