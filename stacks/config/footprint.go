package config

import (
	"fmt"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/api/resource"
)

// mark is a value of what exists that not every value can follow on.
type mark struct {
	// key names it in a footprint, by the names of clusters; path is where a
	// stack file sets it, by their positions.
	key, path string
	value     string
	// follows says why a new value cannot follow on the present one; it is
	// empty when it can.
	follows func(present, next string) (string, error)
}

// Footprint is what cannot be undone once it exists, by key: the kind, name,
// version, addresses and zones of the cluster, the backend of databases and
// what AWS would replace them for, the sizes of volumes, the classes of those
// that the stack declares itself, the number of MinIO's servers and the names
// of its buckets, the key of S3, the server names of restored clusters, the
// identity provider's database, administrator and version, and the class of the
// load balancer. A mark is there only while what it belongs to is.
func (c *Config) Footprint() map[string]string {
	footprint := map[string]string{}
	for _, m := range c.marks(nil) {
		footprint[m.key] = m.value
	}
	return footprint
}

// CheckFootprint reports what a stack that exists cannot become: another
// cluster, or one of an older version, or without one of its zones, databases
// that something else runs, volumes that shrink or move to another class,
// another number of MinIO's servers, another key of S3, a cluster that is to be
// restored although it is there, or forgets where its backups are, another
// database or administrator of the identity provider, a version of it that is
// older, unless its database is restored, or that several replicas cannot roll
// to, and another class of load balancer. It returns [Errors] like [Parse], and
// nil where everything can follow on the footprint that the stack had before.
func (c *Config) CheckFootprint(previous map[string]string) error {
	var problems Errors
	for _, m := range c.marks(previous) {
		present, exists := previous[m.key]
		if !exists {
			continue
		}
		message, err := m.follows(present, m.value)
		if err != nil {
			return fmt.Errorf("compare %s with the present %q: %w", m.key, present, err)
		}
		problem := Problem{Path: display(tokens(m.path)), Value: m.shown(), Message: message}
		// Clusters that share a size have one problem with it.
		if message != "" && !slices.Contains(problems, problem) {
			problems = append(problems, problem)
		}
	}
	for i, d := range c.Storage.PostgreSQL.Clusters {
		if c.Storage.PostgreSQL.Backend != CloudNativePG {
			break // the backend is a problem of its own
		}
		key, path := clusterKey(d.Name), clusterPath(i)
		if size, had := previous[key+walSize]; had && d.WALVolume == nil {
			problems = append(problems, Problem{Path: display(tokens(path + ".walVolume")), Message: fmt.Sprintf(
				"is missing; cluster %s has such a volume of %s now, and cannot lose it", d.Name, size)})
		}
		_, exists := previous[key+dataSize]
		name, restored := previous[key+recoveryServer]
		switch {
		case restored && d.Recovery == nil:
			problems = append(problems, Problem{Path: display(tokens(path + ".recovery")), Message: fmt.Sprintf(
				"is missing; must stay as long as cluster %s does: its backups are under the server name %s", d.Name, name)})
		case exists && !restored && d.Recovery != nil:
			problems = append(problems, Problem{Path: display(tokens(path + ".recovery")), Message: fmt.Sprintf(
				"has no effect on cluster %s, which is there already: must be in a cluster with another name, which then starts with the data of %s", d.Name, d.Recovery.SourceCluster)})
		}
	}
	return problems.sorted()
}

const (
	dataSize       = ".volume.size"
	walSize        = ".walVolume.size"
	recoveryServer = ".recovery.serverName"
)

func clusterKey(name string) string { return "storage.postgresql.clusters[" + name + "]" }

func clusterPath(i int) string { return fmt.Sprintf("storage.postgresql.clusters.%d", i) }

// marks are those of a stack that had the previous footprint.
func (c *Config) marks(previous map[string]string) []mark {
	var marks []mark
	size := func(key, path string, v *Volume) {
		if v != nil {
			marks = append(marks, mark{key, path, v.Size.String(), growth})
		}
	}
	p := c.Storage.PostgreSQL
	for i, d := range p.Clusters {
		if p.Backend != CloudNativePG {
			break // their storage is that of RDS
		}
		key := clusterKey(d.Name)
		size(key+dataSize, inherited(clusterPath(i), "volume.size", d.Volume, &p.Volume), d.Volume)
		size(key+walSize, inherited(clusterPath(i), "walVolume.size", d.WALVolume, p.WALVolume), d.WALVolume)
		if d.Recovery != nil {
			marks = append(marks, mark{key + recoveryServer, clusterPath(i) + recoveryServer, d.Recovery.ServerName, server})
		}
	}
	// The operator of the databases takes another class for new volumes only.
	// The other ones would be deleted, and made anew without their data.
	own := func(path string, v *Volume) {
		size(path+".size", path+".size", v)
		if v == nil {
			return
		}
		at := path + ".storageClass"
		if v.StorageClass == c.Storage.StorageClass {
			at = "storage.storageClass"
		}
		marks = append(marks, mark{path + ".storageClass", at, v.StorageClass, class})
	}
	if c.Storage.Cache.Backend == Valkey {
		own("storage.cache.persistence", c.Storage.Cache.Persistence)
	}
	if m := c.Storage.ObjectStorage.MinIO; m != nil {
		const path = "storage.objectStorage.minio"
		// Amazon S3 replaces a bucket to rename it, which protection and content prevent.
		for key, name := range map[string]string{"bucket": c.Storage.ObjectStorage.Bucket, "backupBucket": c.Storage.ObjectStorage.BackupBucket} {
			marks = append(marks, mark{path + "." + key, "storage.objectStorage." + key, name, bucket})
		}
		own(path+".volume", &m.Volume)
		marks = append(marks, mark{path + ".servers", path + ".servers", strconv.Itoa(m.Servers), pool})
	}
	if s3 := c.Storage.ObjectStorage.S3; s3 != nil {
		const path = "storage.objectStorage.s3.kmsKeyArn"
		marks = append(marks, mark{path, path, s3.KMSKeyARN, encryption})
	}
	c.monitoringMarks(func(path string, v *Volume) { size(path, path, v) }, own)
	marks = append(marks, c.clusterMarks()...)
	marks = append(marks, c.managedMarks()...)
	marks = append(marks, c.identityMarks(previous)...)
	return append(marks, c.networkMarks()...)
}

// inherited is the path that most likely set a cluster's size: that of all
// clusters, if the cluster has the same.
func inherited(cluster, key string, own, all *Volume) string {
	if own != nil && all != nil && own.Size.Cmp(all.Size) == 0 {
		return "storage.postgresql." + key
	}
	return cluster + "." + key
}

// shown is the value as messages have it.
func (m mark) shown() string {
	if _, err := strconv.Atoi(m.value); err == nil {
		return m.value
	}
	return quote(m.value)
}

func growth(present, next string) (string, error) {
	was, err := resource.ParseQuantity(present)
	if err != nil {
		return "", err
	}
	is, err := resource.ParseQuantity(next)
	if err != nil {
		return "", err
	}
	if is.Cmp(was) < 0 {
		return fmt.Sprintf("must be at least %q, which it is now: volumes cannot shrink", present), nil
	}
	return "", nil
}

func class(present, next string) (string, error) {
	switch present {
	case next:
		return "", nil
	case "":
		return "is not allowed: there are volumes of the cluster's default class, and a volume stays in its class; move the data to a new stack", nil
	}
	return fmt.Sprintf("must be %q, which it is now: a volume stays in its class; move the data to a new stack", present), nil
}

func encryption(present, next string) (string, error) {
	const why = "objects that are there could not be read with another key; move them to a new stack"
	switch present {
	case next:
		return "", nil
	case "":
		return "is not allowed: the stack has a key of its own, and " + why, nil
	}
	return fmt.Sprintf("must be %q, which it is now: %s", present, why), nil
}

func pool(present, next string) (string, error) {
	if present == next {
		return "", nil
	}
	return fmt.Sprintf("must be %s, which it is now: a pool of servers cannot change its size; move the data to a new stack that has another", present), nil
}

func bucket(present, next string) (string, error) {
	if present == next {
		return "", nil
	}
	return fmt.Sprintf("must be %q, which it is now: what is in a bucket does not move to another", present), nil
}

func server(present, next string) (string, error) {
	if present == next {
		return "", nil
	}
	return fmt.Sprintf("must be %q, which it is now: recovery is read when a cluster is created", present), nil
}
