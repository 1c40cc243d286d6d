package config

import (
	"maps"

	"k8s.io/apimachinery/pkg/api/resource"
)

func (c *Config) derivePostgreSQL() {
	p := &c.Storage.PostgreSQL
	c.replicas(&p.Instances, 3)
	c.replicas(&p.Pooler.Instances, 2)
	c.replicas(&p.Operator.Replicas, 2)
	p.Volume.follow(Volume{StorageClass: c.Storage.StorageClass})
	wal := Volume{Size: resource.MustParse("5Gi"), StorageClass: c.Storage.StorageClass}
	if p.WALVolume != nil {
		p.WALVolume.follow(wal)
		wal = *p.WALVolume
	}
	if len(p.Clusters) == 0 {
		p.Clusters = []DatabaseCluster{{Name: "platform", Databases: []Database{{Name: "iris"}, {Name: "gateway"}, {Name: "controlplane"}}}}
		if c.grafanaDatabase() == grafanaDatabase {
			p.Clusters[0].Databases = append(p.Clusters[0].Databases, Database{Name: grafanaDatabase})
		}
	}
	for i := range p.Clusters {
		p.Clusters[i].follow(p, wal)
	}
}

// follow fills in what the cluster does not state; wal is what its volume for
// the write-ahead log follows, if it has one.
func (d *DatabaseCluster) follow(p *PostgreSQL, wal Volume) {
	for i := range d.Databases {
		if d.Databases[i].Owner == "" {
			d.Databases[i].Owner = d.Databases[i].Name
		}
	}
	if d.Instances == 0 {
		d.Instances = p.Instances
	}
	if d.Volume == nil {
		d.Volume = &Volume{}
	}
	d.Volume.follow(p.Volume)
	if d.WALVolume == nil && p.WALVolume != nil {
		d.WALVolume = &Volume{}
	}
	if d.WALVolume != nil {
		d.WALVolume.follow(wal)
	}
	if d.Resources == nil {
		d.Resources = &ResourceClass{}
	}
	d.Resources.Requests.follow(p.Resources.Requests)
	d.Resources.Limits.follow(p.Resources.Limits)
	parameters := maps.Clone(p.Parameters)
	if parameters == nil {
		parameters = Parameters{}
	}
	maps.Copy(parameters, d.Parameters)
	d.Parameters = parameters
	if d.Recovery != nil {
		d.Recovery.follow(d.Name, p.Backup.Path)
	}
}

func (r *Recovery) follow(cluster, path string) {
	if r.SourceCluster == "" {
		r.SourceCluster = cluster
	}
	if r.Path == "" {
		r.Path = path
	}
	if r.ServerName == "" {
		r.ServerName = r.SourceCluster + "-restored"
	}
}

// follow fills in what the volume does not state.
func (v *Volume) follow(other Volume) {
	if v.Size.IsZero() {
		v.Size = other.Size.DeepCopy()
	}
	if v.StorageClass == "" {
		v.StorageClass = other.StorageClass
	}
}

// follow fills in the amounts that are not stated.
func (a *ResourceAmounts) follow(other ResourceAmounts) {
	if a.CPU.IsZero() {
		a.CPU = other.CPU.DeepCopy()
	}
	if a.Memory.IsZero() {
		a.Memory = other.Memory.DeepCopy()
	}
}

func (c *Config) deriveCache() {
	cache := &c.Storage.Cache
	c.replicas(&cache.Servers, 3)
	if cache.Servers > 1 {
		// What fails over needs a majority that decides it, and somebody who
		// tells the clients.
		if cache.Sentinels == 0 {
			cache.Sentinels = 3
		}
		if cache.Proxies == 0 {
			cache.Proxies = 2
		}
	}
	if cache.Persistence != nil {
		cache.Persistence.follow(Volume{StorageClass: c.Storage.StorageClass})
	}
}

const (
	defaultBucket      = "controlplane-files"
	backupBucketSuffix = "-backups"
)

func (c *Config) deriveObjectStorage() {
	o := &c.Storage.ObjectStorage
	if o.Backend == ObjectsMinIO && o.Bucket == "" {
		o.Bucket = defaultBucket
	}
	if o.Backend != ObjectsNone && o.Bucket != "" && o.BackupBucket == "" {
		o.BackupBucket = o.Bucket + backupBucketSuffix
	}
	if o.MinIO != nil {
		c.replicas(&o.MinIO.Servers, 4)
		o.MinIO.Volume.follow(Volume{StorageClass: c.Storage.StorageClass})
	}
}
