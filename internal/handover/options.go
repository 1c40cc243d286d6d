package handover

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/version"
)

const (
	// Repository has the Control Plane's manifests, DefaultVersion is the release that the handover is made for.
	Repository     = "https://github.com/telekom/controlplane"
	DefaultVersion = "v0.23.0"
	// bundlePath is where its bundle is in the repository, since release firstVersion.
	bundlePath   = "install/bundle"
	firstVersion = "v0.22.0"
)

// Options say for which Control Plane the handover is. The zero value of each field is a working default, apart from Dir.
type Options struct {
	// Dir is the directory to write. It must not exist, be empty, or be one of an earlier handover, which is replaced.
	Dir string
	// Base is the Control Plane's install/bundle: a directory, or a URL as kustomize takes it, without a version.
	Base string
	// Version is the release: it is the ref of a Base that is a URL, and the tag of the images.
	Version string
	// Environment and Zone name the Control Plane's first ones; default: controlplane and dataplane1.
	Environment, Zone string
	// Domain is what the host names of the Control Plane's servers end with; default: that of the identity provider.
	Domain string
	// GatewayHostname and GatewayAdminURL are those of the zone's gateway, which is installed apart; default: assumed, below
	// Domain.
	GatewayHostname, GatewayAdminURL string
	// SMTP is where notifications go; nil: they are only logged.
	SMTP *SMTP
	// Local says that the stack is on the local control plane: commands in the README then say so.
	Local bool
	// WithoutAPI leaves out the API for user interfaces: controlplane-api and projector.
	WithoutAPI bool
}

// SMTP is a mail server.
type SMTP struct {
	Host string
	Port int
	From string
}

// Invalid is an option that cannot be.
type Invalid struct{ Err error }

func (e *Invalid) Error() string { return e.Err.Error() }
func (e *Invalid) Unwrap() error { return e.Err }

// resourceName is what the Control Plane allows as a name of a zone or an environment.
var resourceName = regexp.MustCompile(`^[a-z0-9]+(-?[a-z0-9]+)*$`)

// complete fills in defaults and reports every option that cannot be.
func (o Options) complete(out *Outputs) (Options, error) {
	o.Base = cmp.Or(o.Base, Repository+"//"+bundlePath)
	o.Version = cmp.Or(o.Version, DefaultVersion)
	o.Environment, o.Zone = cmp.Or(o.Environment, "controlplane"), cmp.Or(o.Zone, "dataplane1")
	o.Domain = cmp.Or(o.Domain, out.domain())
	o.GatewayHostname = cmp.Or(o.GatewayHostname, "gateway."+o.Domain)
	o.GatewayAdminURL = cmp.Or(o.GatewayAdminURL, "https://gateway-admin."+o.Domain+"/admin-api")

	var problems []error
	complain := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if o.Dir == "" {
		complain("out: no directory is named")
	}
	for name, value := range map[string]string{"environment": o.Environment, "zone": o.Zone} {
		if !resourceName.MatchString(value) || len(value) > 40 {
			complain("%s: %q must be lower-case letters, digits and single dashes between them, at most 40", name, value)
		}
	}
	for name, value := range map[string]string{"domain": o.Domain, "gateway-host": o.GatewayHostname} {
		if len(validation.IsDNS1123Subdomain(value)) > 0 {
			complain("%s: %q must be the name of a host, such as example.com, without scheme and path", name, value)
		}
	}
	if v, err := version.ParseSemantic(o.Version); err == nil && v.LessThan(version.MustParseSemantic(firstVersion)) {
		complain("ref: %s has no %s to build on; allowed: %s and newer, a branch or a commit", o.Version, bundlePath, firstVersion)
	}
	if u, err := url.Parse(o.GatewayAdminURL); err != nil || u.Host == "" {
		complain("gateway-admin-url: %q must be a URL, such as https://gateway-admin.example.com/admin-api", o.GatewayAdminURL)
	}
	if o.SMTP != nil && (o.SMTP.Host == "" || o.SMTP.From == "") {
		complain("smtp-host and smtp-from: mail needs both")
	}
	if !isURL(o.Base) {
		if err := checkBase(o.Base); err != nil {
			complain("base: %w", err)
		}
	}
	if len(problems) > 0 {
		return o, &Invalid{Err: errors.Join(problems...)}
	}
	return o, nil
}

func checkBase(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "kustomization.yaml")); err != nil {
		return fmt.Errorf("%s holds no kustomization.yaml; it must be the directory %s of the Control Plane, or a URL of it",
			dir, bundlePath)
	}
	return nil
}

func isURL(base string) bool { return strings.Contains(base, "://") }

// bases are the resources that the overlay is on, as kustomize finds them from a directory.
func (o Options) bases(from string) ([]string, error) {
	paths := []string{bundlePath}
	if !o.WithoutAPI {
		paths = append(paths, "controlplane-api/config/default", "projector/config/default")
	}
	if isURL(o.Base) {
		root, _, found := strings.Cut(o.Base, "//"+bundlePath)
		if !found {
			return []string{o.Base}, nil
		}
		var all []string
		for _, path := range paths {
			all = append(all, root+"//"+path+"?ref="+url.QueryEscape(o.Version))
		}
		return all, nil
	}
	base, err := filepath.Abs(o.Base)
	if err != nil {
		return nil, err
	}
	from, err = filepath.Abs(from)
	if err != nil {
		return nil, err
	}
	root, isRepository := strings.CutSuffix(filepath.ToSlash(base), "/"+bundlePath)
	var all []string
	for _, path := range paths {
		dir := base
		if path != bundlePath {
			dir = filepath.Join(root, path)
			if _, err := os.Stat(dir); !isRepository || err != nil {
				continue
			}
		}
		// kustomize takes no absolute path.
		relative, err := filepath.Rel(from, dir)
		if err != nil {
			return nil, fmt.Errorf("base: %w", err)
		}
		all = append(all, filepath.ToSlash(relative))
	}
	return all, nil
}
