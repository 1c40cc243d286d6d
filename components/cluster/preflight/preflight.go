package preflight

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Severity says what a finding means for the stack.
type Severity string

const (
	// Error is what the stack cannot do without, or would break.
	Error Severity = "error"
	// Warning is what it can do without, or what could not be seen.
	Warning Severity = "warning"
)

// Finding is one thing that is not as the stack needs it.
type Finding struct {
	// Check names what was looked at, such as "version".
	Check    string   `json:"check"`
	Severity Severity `json:"severity"`
	// Found and Needed are what is there and what should be, Remedy what to do about it.
	Found  string `json:"found"`
	Needed string `json:"needed"`
	Remedy string `json:"remedy"`
}

func (f Finding) String() string {
	return fmt.Sprintf("%s: found %s; needed: %s. %s", f.Check, f.Found, f.Needed, f.Remedy)
}

// Needs are what a stack needs of its cluster. The zero value needs a version and a default IngressClass.
type Needs struct {
	// StorageClasses are the classes of the volumes; an empty name is the default class.
	StorageClasses []string
	// Zones is over how many zones pods are spread; 0: placement does not matter.
	Zones int
	// Manages are the kinds of objects that the stack creates.
	Manages []Resource
	// MetricsServer says that the stack installs metrics-server, Autoscalers that it has autoscalers.
	MetricsServer, Autoscalers bool
	// IngressClass is the class that the stack makes the default; empty: the cluster has one.
	IngressClass string
	// NetworkPolicies says that something shall enforce them.
	NetworkPolicies bool
	// Definitions are the names of the custom resource definitions that others are to have installed, Installs those that
	// the stack installs, one for each of its operators.
	Definitions, Installs []string
	// OIDCProviderARN is the IAM OIDC provider that pods assume roles through; empty: they assume none.
	OIDCProviderARN string
}

// Simulated are the needs as far as a simulated cluster can have them: it has no network of pods, and no account in AWS.
func (n Needs) Simulated() Needs {
	n.NetworkPolicies, n.OIDCProviderARN = false, ""
	return n
}

// timeout is for one request.
const timeout = 15 * time.Second

// Check looks at everything, changes nothing and returns what it found wrong, in the order of the checks. A cluster that
// cannot be reached is an error.
func Check(ctx context.Context, config *rest.Config, needs Needs) ([]Finding, error) {
	i, err := newInspector(config, needs)
	if err != nil {
		return nil, err
	}
	if err := i.reach(ctx); err != nil {
		return nil, err
	}
	for _, check := range []func(context.Context) error{
		i.version, i.permissions, i.storageClasses, i.zones, i.metrics, i.ingressClasses, i.networkPolicies, i.definitions, i.issuer,
	} {
		if err := check(ctx); err != nil {
			return nil, i.unreachable(err)
		}
	}
	return i.findings, nil
}

// Refused is a cluster that a stack cannot be installed on.
type Refused struct {
	// Server is the cluster's address, Findings are those that are errors.
	Server   string
	Findings []Finding
}

func (r *Refused) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the cluster at %s lacks what the stack needs; nothing has been changed:", r.Server)
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "\n  %s", f)
	}
	return b.String()
}

// Require returns a *Refused with all that the stack cannot do without, if there is any, and otherwise the warnings.
func Require(ctx context.Context, config *rest.Config, needs Needs) ([]Finding, error) {
	findings, err := Check(ctx, config, needs)
	if err != nil {
		return nil, err
	}
	if errors := Errors(findings); len(errors) > 0 {
		return nil, &Refused{Server: config.Host, Findings: errors}
	}
	return findings, nil
}

// Errors are the findings that are errors.
func Errors(findings []Finding) []Finding { return of(findings, Error) }

// Warnings are the findings that are warnings.
func Warnings(findings []Finding) []Finding { return of(findings, Warning) }

func of(findings []Finding, severity Severity) (some []Finding) {
	for _, f := range findings {
		if f.Severity == severity {
			some = append(some, f)
		}
	}
	return some
}

// inspector carries what the checks share.
type inspector struct {
	needs    Needs
	server   string
	client   kubernetes.Interface
	findings []Finding
}

func newInspector(config *rest.Config, needs Needs) (*inspector, error) {
	config = rest.CopyConfig(config)
	config.Timeout, config.QPS = timeout, -1
	config.WarningHandlerWithContext = rest.NoWarnings{}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("connect to the cluster: %w", err)
	}
	return &inspector{needs: needs, server: config.Host, client: client}, nil
}

// reach tells a cluster that is not there from one that does not know who asks.
func (i *inspector) reach(ctx context.Context) error {
	_, err := i.may(ctx, access{Verb: "*", Group: "*", Resource: "*"})
	return i.unreachable(err)
}

func (i *inspector) unreachable(err error) error {
	switch {
	case err == nil:
		return nil
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("the cluster at %s does not accept the credentials of the kubeconfig: %w", i.server, err)
	}
	return fmt.Errorf("the cluster at %s cannot be reached: %w", i.server, err)
}

func (i *inspector) report(severity Severity, check, found, needed, remedy string) {
	i.findings = append(i.findings, Finding{Check: check, Severity: severity, Found: found, Needed: needed, Remedy: remedy})
}

// unseen reports what whoever asks may not read, and tells whether that is so; other errors are none of a check's.
func (i *inspector) unseen(err error, check, needed string) bool {
	if !apierrors.IsForbidden(err) {
		return false
	}
	i.report(Warning, check, "that the user of the kubeconfig may not look", needed,
		"Make sure of it, or use a kubeconfig that may read it.")
	return true
}

// quoted lists names for people.
func quoted(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
