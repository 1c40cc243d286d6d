package rds

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/components/storage/managed"
	"github.com/telekom/controlplane-infrastructure/components/storage/postgresql"
	"github.com/telekom/controlplane-infrastructure/internal/part"
)

// Args configure the component. Native types decide what exists; Pulumi inputs carry values.
type Args struct {
	part.Common
	// AWS is the account and region that instances are in.
	AWS pulumi.ProviderResource
	// Network is where they are. Only its addresses are needed before New.
	Network managed.Network
	// Name begins the names of everything in AWS.
	Name string
	// Tags are put on everything in AWS that can have tags.
	Tags map[string]string
	// EngineVersion is the version of PostgreSQL: a major one, whose newest minor version is followed, or an exact one.
	EngineVersion string
	// InstanceClass is what each instance runs on, such as db.m7g.large.
	InstanceClass string
	// MultiAZ has each instance have a standby in another zone.
	MultiAZ bool
	// StorageGiB is what each instance has, MaxStorageGiB what that may grow to by itself; not more: it stays.
	StorageGiB, MaxStorageGiB int
	// BackupRetentionDays is for how many days every moment can be restored: 1 to 35.
	BackupRetentionDays int
	// BackupWindow and MaintenanceWindow are when AWS works on instances, in UTC, such as 02:00-03:00 and
	// sun:03:30-sun:04:30.
	BackupWindow, MaintenanceWindow string
	// IAMAuthentication lets people log in as PeopleRole with tokens of IAM.
	IAMAuthentication bool
	// KMSKeyARN is the key that encrypts; empty: one of the component's own, with yearly rotation.
	KMSKeyARN string
	// Image has psql from version 14 on, and a shell.
	Image string
	// Instances are the instances. A database's name is unique among all of them.
	Instances []Instance
	// ControlPlaneDatabase is the database that the Control Plane finds in the Secret controlplane-db; empty: none.
	ControlPlaneDatabase string
	// ControlPlaneSSLMode is how strictly the Control Plane checks the database's certificate, such as verify-full.
	ControlPlaneSSLMode string
	// Clients are who uses databases beside the Control Plane, as far as nobody else declares their connections.
	Clients []postgresql.Client
}

// Instance is an instance with its databases.
type Instance struct {
	// Name is what clients know as the name of the cluster.
	Name string
	// Parameters are those of PostgreSQL, on top of the component's own. A change of one that an instance takes only
	// when it starts, and of any that is given here, has an effect from its next start on.
	Parameters map[string]string
	// Databases are the databases, at least one.
	Databases []postgresql.Database
}

// cluster is the instance as a cluster with the same databases.
func (i Instance) cluster() postgresql.Cluster {
	return postgresql.Cluster{Name: i.Name, Instances: 1, Parameters: i.Parameters, Databases: i.Databases}
}

// clusters are what the instances stand for.
func (a Args) clusters() postgresql.Args {
	p := postgresql.Args{Common: a.Common, ControlPlaneDatabase: a.ControlPlaneDatabase, Clients: a.Clients}
	for _, i := range a.Instances {
		p.Clusters = append(p.Clusters, i.cluster())
	}
	return p
}

// Check reports what cannot work. New does as well, but others may want to know before they register anything.
func (a Args) Check() error {
	problems := []error{a.clusters().Check()}
	for _, i := range a.Instances {
		for _, d := range i.Databases {
			if slices.Contains([]string{Administrator, PeopleRole}, d.Owner) {
				problems = append(problems, fmt.Errorf("cluster %s: role %s is the platform's own", i.Name, d.Owner))
			}
			if slices.Contains([]string{"postgres", "rdsadmin", "template0", "template1"}, d.Name) {
				problems = append(problems, fmt.Errorf("cluster %s: database %s is there from the start, for other purposes", i.Name, d.Name))
			}
		}
		for name := range ownParameters {
			if _, given := i.Parameters[name]; given && name != "password_encryption" {
				problems = append(problems, fmt.Errorf("cluster %s: parameter %s is always %s", i.Name, name, ownParameters[name]))
			}
		}
	}
	return errors.Join(problems...)
}

// Connections are how the databases will be reached, before there are hosts and passwords. Check comes first.
func (a Args) Connections() (map[string]postgresql.Connection, error) {
	all, err := a.clusters().Connections()
	for name, c := range all {
		c.Host, c.Primary, c.Pods = nil, nil, a.stores()
		all[name] = c
	}
	return all, err
}

// major is the version whose parameters an instance takes.
func (a Args) major() string {
	major, _, _ := strings.Cut(a.EngineVersion, ".")
	return major
}

// followsMinors tells whether instances take new minor versions by themselves. With an exact version in the
// configuration they must not: the next run would ask for the older one again.
func (a Args) followsMinors() bool { return a.major() == a.EngineVersion }
