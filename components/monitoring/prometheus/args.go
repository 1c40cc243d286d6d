package prometheus

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/part"
)

// Args configure Prometheus. Native types decide what exists.
type Args struct {
	part.Common
	// Image is Prometheus 3. Its tag is the version, such as v3.13.1: the operator configures each version its own way.
	Image string
	// Replicas is how many servers there are, each with all the data: 1 or 2.
	Replicas int
	// ScrapeInterval is how often targets are asked that do not say it themselves, and rules are evaluated, such as 30s.
	ScrapeInterval string
	// Retention is how long data is kept.
	Retention Retention
	// Volume is the storage of each server.
	Volume part.Volume
	// Resources are what each server reserves and may use.
	Resources corev1.ResourceRequirements
	// ExternalLabels are added to everything that leaves Prometheus: alerts, remote writes, blocks in object storage.
	ExternalLabels map[string]string
	// ScrapeClasses are what monitors may refer to by name, as the custom resource takes them, besides the one that verifies
	// servers with the trust bundle, which is for all monitors that name none.
	ScrapeClasses []map[string]any
	// NodePorts are the ports of nodes that metrics are read from, besides those of the API server.
	NodePorts []int
	// RemoteWrite are systems that get all samples.
	RemoteWrite []RemoteWrite
	// Thanos uploads blocks to object storage; nil: they stay on the volumes.
	Thanos *Thanos
}

// Retention is how long data is kept: what comes first counts.
type Retention struct {
	// Time is an age, such as 15d.
	Time string
	// Size is the space that complete blocks may take, such as 16GB or 16GiB; less than the volume, which holds the newest data
	// besides.
	Size string
}

// RemoteWrite is a system that gets all samples. It has at most one of BasicAuth and BearerToken.
type RemoteWrite struct {
	// Name tells it apart in metrics, and in the names of Secrets: lower-case letters, digits and hyphens.
	Name string
	// URL begins with https://. The trust bundle, which has the public authorities, verifies it.
	URL string
	// BasicAuth logs in by name and password.
	BasicAuth *BasicAuth
	// BearerToken logs in by a token.
	BearerToken pulumi.StringInput
}

// BasicAuth is a login by name and password.
type BasicAuth struct {
	Username string
	Password pulumi.StringInput
}

// Thanos is a container beside each server that uploads blocks.
type Thanos struct {
	// Image is Thanos'. Its tag is the version, such as v0.40.1.
	Image string
	// Store is the bucket. Its Keys are needed: the container has no identity of its own.
	Store part.ObjectStore
	// Pods are the object storage where it runs in the cluster; the zero value: it is somewhere outside.
	Pods flow.Peer
	// Port is that of the pods, or of the endpoint outside.
	Port int
	// Resources are what each container reserves and may use.
	Resources corev1.ResourceRequirements
}

var (
	version      = regexp.MustCompile(`:(v\d+\.\d+\.\d+)[^/]*$`)
	duration     = regexp.MustCompile(`^(\d+(ms|[smhdwy]))+$`)
	externalName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)
	labelName    = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
	byteSize     = regexp.MustCompile(`^(\d+(?:\.\d+)?)([KMGTPE]i?)?B$`)
)

// mostReplicas is how many servers with the same data make sense: queries and alerts go on while one is away.
const mostReplicas = 2

// Check reports what cannot work. The values that are known at run time only may be missing.
func (a Args) Check() error {
	var problems []error
	add := func(format string, values ...any) { problems = append(problems, fmt.Errorf(format, values...)) }
	if versionOf(a.Image) == "" {
		add("Image is %q: allowed is an image whose tag is its version, such as quay.io/prometheus/prometheus:v3.13.1", a.Image)
	}
	if a.Replicas < 1 || a.Replicas > mostReplicas {
		add("Replicas is %d: allowed are 1 and %d", a.Replicas, mostReplicas)
	}
	for field, value := range map[string]string{"ScrapeInterval": a.ScrapeInterval, "Retention.Time": a.Retention.Time} {
		if !duration.MatchString(value) {
			add("%s is %q: allowed is a duration of Prometheus, such as 30s, 15d or 1h30m", field, value)
		}
	}
	for label := range a.ExternalLabels {
		if !labelName.MatchString(label) {
			add("ExternalLabels has %q: allowed are letters, digits and underscores, no digit first", label)
		}
	}
	problems = append(problems, a.checkSize()...)
	problems = append(problems, a.checkRemoteWrite()...)
	problems = append(problems, a.checkThanos()...)
	slices.SortFunc(problems, func(x, y error) int { return strings.Compare(x.Error(), y.Error()) })
	return errors.Join(problems...)
}

func (a Args) checkSize() []error {
	volume, err := resource.ParseQuantity(a.Volume.Size)
	if err != nil {
		return []error{fmt.Errorf("Volume.Size is %q: allowed is a size such as 20Gi", a.Volume.Size)}
	}
	size, err := ParseSize(a.Retention.Size)
	if err != nil {
		return []error{fmt.Errorf("Retention.Size %w", err)}
	}
	if size >= volume.Value() {
		return []error{fmt.Errorf("Retention.Size is %s: allowed is less than the volume, which has %s (Volume.Size)", a.Retention.Size, a.Volume.Size)}
	}
	return nil
}

// ParseSize is the number of bytes of a size as Prometheus takes it: to Prometheus, K and Ki are both 1024, and so on.
func ParseSize(text string) (int64, error) {
	match := byteSize.FindStringSubmatch(text)
	if match == nil {
		return 0, fmt.Errorf("is %q: allowed is a size of Prometheus, such as 16GB or 512MiB", text)
	}
	number, err := strconv.ParseFloat(match[1], 64)
	if err != nil {
		return 0, fmt.Errorf("is %q: %w", text, err)
	}
	if match[2] != "" {
		for range strings.IndexByte("KMGTPE", match[2][0]) + 1 {
			number *= 1024
		}
	}
	return int64(number), nil
}

func (a Args) checkRemoteWrite() []error {
	var problems []error
	add := func(format string, values ...any) { problems = append(problems, fmt.Errorf(format, values...)) }
	seen := map[string]bool{}
	for n, w := range a.RemoteWrite {
		field := fmt.Sprintf("RemoteWrite[%d]", n)
		if !externalName.MatchString(w.Name) {
			add("%s.Name is %q: allowed are lower-case letters, digits and hyphens", field, w.Name)
		}
		if seen[w.Name] {
			add("%s.Name is %q: another one has that name", field, w.Name)
		}
		seen[w.Name] = true
		if u, err := url.Parse(w.URL); err != nil || u.Scheme != "https" || u.Hostname() == "" {
			add("%s.URL is %q: allowed is a URL that begins with https://", field, w.URL)
		}
		if w.BasicAuth != nil && w.BearerToken != nil {
			add("%s has BasicAuth and BearerToken: allowed is one of them", field)
		}
	}
	return problems
}

func (a Args) checkThanos() []error {
	t := a.Thanos
	if t == nil {
		return nil
	}
	var problems []error
	add := func(format string, values ...any) { problems = append(problems, fmt.Errorf(format, values...)) }
	if versionOf(t.Image) == "" {
		add("Thanos.Image is %q: allowed is an image whose tag is its version, such as quay.io/thanos/thanos:v0.40.1", t.Image)
	}
	if t.Store.Bucket == "" {
		add("Thanos.Store.Bucket is missing")
	}
	if t.Port < 1 || t.Port > 65535 {
		add("Thanos.Port is %d: allowed are 1 to 65535", t.Port)
	}
	return problems
}

// versionOf is the version in an image's tag; empty: it has none.
func versionOf(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if match := version.FindStringSubmatch(image); match != nil {
		return match[1]
	}
	return ""
}
