package identity

import (
	"errors"
	"fmt"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

// Args configure the component. Native types decide what exists.
type Args struct {
	part.Common
	// Image is Keycloak 26, from 26.2 on, or one derived from it.
	Image string
	// Optimized says that "kc.sh build" has been run in the image already, with the options that the package's
	// documentation names. Otherwise each pod does that before it starts.
	Optimized bool
	// Replicas is how many servers there are, with Autoscaling the least number: 1, or 3 and more.
	Replicas int
	// Recreate ends all old pods before new ones start: for versions that cannot run beside each other.
	Recreate bool
	// Autoscaling adds and removes servers with the load; nil: their number is fixed.
	Autoscaling *Autoscaling
	// Hostname is the public host name: the issuer of tokens is https://<Hostname>/auth/realms/<realm>.
	Hostname string
	// Ingress is how the public gets there.
	Ingress Ingress
	// Admin is who may administer it, and from where.
	Admin Admin
	// Database is where everything is kept.
	Database Database
	// TrustedIssuers are the issuers whose tokens the Control Plane accepts; none: it is not told.
	TrustedIssuers []string
	// ServiceMonitor declares the metrics to Prometheus; it needs the ServiceMonitor resource definition.
	ServiceMonitor bool
}

// Autoscaling follows the load of the processors.
type Autoscaling struct {
	// MaxReplicas is the greatest number of servers.
	MaxReplicas int
	// TargetCPUPercent is the load to aim at, in percent of what a pod requests.
	TargetCPUPercent int
}

// Ingress is how requests come from outside of the cluster.
type Ingress struct {
	// ClassName is the IngressClass; empty: the cluster's default.
	ClassName string
	// Annotations are added to the Ingress objects.
	Annotations map[string]string
	// Issuer is the ClusterIssuer of the public certificates.
	Issuer string
	// Controller is where the pods of the class's ingress controller run. Without anything it is any pod.
	Controller flow.Peer
	// HTTP01 is where those of the controller run that answers for host names; nil: they are not proven by HTTP-01.
	HTTP01 *flow.Peer
}

// Admin is the access to the administration.
type Admin struct {
	// Hostname is where the administration is reachable from outside; empty: only inside the cluster.
	Hostname string
	// Username is the administrator that the first start makes.
	Username string
	// Password is its password; nil: one is made up. Keycloak takes it when it sets up its database, and never again.
	Password pulumi.StringInput
	// PlainHTTP serves the Control Plane's namespace without TLS too, on port 8080: for clients that trust no private
	// authority.
	PlainHTTP bool
}

// Database is a PostgreSQL database whose certificate the trust bundle verifies.
type Database struct {
	Host pulumi.StringInput
	Port int
	// Name is the database, User its owner.
	Name, User string
	Password   pulumi.StringInput
	// Connections is how many all replicas together may open.
	Connections int
	// Pods is where the database runs.
	Pods flow.Peer
}

// fewestServers is how many it takes for the loss of one to leave the others in service. Of two servers, the one that is
// left cannot tell a loss from a network that is cut in two, and takes itself for the lesser half for up to a minute.
const fewestServers = 3

// smallestPool is the number of connections below which requests of one server wait for each other.
const smallestPool = 5

// Check reports what cannot work. New does as well, but others may want to know before they register anything: then the
// host and the password of the database may be missing.
func (a Args) Check() error {
	var problems []error
	add := func(format string, values ...any) { problems = append(problems, fmt.Errorf(format, values...)) }
	for field, value := range map[string]string{
		"Image": a.Image, "Hostname": a.Hostname, "Ingress.Issuer": a.Ingress.Issuer, "Admin.Username": a.Admin.Username,
		"Database.Name": a.Database.Name, "Database.User": a.Database.User,
	} {
		if value == "" {
			add("%s is missing", field)
		}
	}
	if a.Database.Port < 1 || a.Database.Port > 65535 {
		add("Database.Port is %d: allowed are 1 to 65535", a.Database.Port)
	}
	if a.Hostname != "" && a.Hostname == a.Admin.Hostname {
		add("Admin.Hostname is %q, the public one: allowed is a host name of its own", a.Hostname)
	}
	problems = append(problems, a.checkReplicas()...)
	if _, err := a.heap(); err != nil {
		problems = append(problems, err)
	}
	slices.SortFunc(problems, func(x, y error) int { // the same order every time
		if x.Error() < y.Error() {
			return -1
		}
		return 1
	})
	return errors.Join(problems...)
}

func (a Args) checkReplicas() []error {
	var problems []error
	add := func(format string, values ...any) { problems = append(problems, fmt.Errorf(format, values...)) }
	switch {
	case a.Replicas < fewestServers && a.Availability == workload.Zonal:
		add("Replicas is %d: with availability zonal allowed are %d and more", a.Replicas, fewestServers)
	case a.Replicas != 1 && a.Replicas < fewestServers:
		add("Replicas is %d: allowed are 1, or %d and more", a.Replicas, fewestServers)
	}
	if s := a.Autoscaling; s != nil {
		if s.MaxReplicas <= a.Replicas {
			add("Autoscaling.MaxReplicas is %d: allowed is more than Replicas, which is %d", s.MaxReplicas, a.Replicas)
		}
		if s.TargetCPUPercent < 1 {
			add("Autoscaling.TargetCPUPercent is %d: allowed are 1 and more", s.TargetCPUPercent)
		}
	}
	if a.pool() < smallestPool {
		add("the database allows %d connections (Database.Connections): needed are %d, %d for each of %d servers and one more during updates; "+
			"fewer servers need fewer, and a greater max_connections of PostgreSQL gives more",
			a.Database.Connections, smallestPool*(a.mostServers()+1), smallestPool, a.mostServers())
	}
	return problems
}

// mostServers is the number of servers that there can be, apart from the one that an update adds.
func (a Args) mostServers() int {
	if a.Autoscaling != nil {
		return max(a.Replicas, a.Autoscaling.MaxReplicas)
	}
	return a.Replicas
}

// pool is how many connections each server may open.
func (a Args) pool() int { return a.Database.Connections / (a.mostServers() + 1) }
