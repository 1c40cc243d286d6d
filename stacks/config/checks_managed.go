package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	rdsPath         = postgresqlPath + ".rds"
	elastiCachePath = "storage.cache.elastiCache"
	day             = 24 * time.Hour
)

// managed checks what AWS runs, and the network that it is in.
func (k *checker) managed() {
	p, c := k.cfg.Storage.PostgreSQL, k.cfg.Storage.Cache
	if p.RDS != nil && p.Backend != DatabasesRDS {
		k.add(rdsPath, nil, fmt.Sprintf("is only allowed with backend rds; backend is %s", p.Backend), postgresqlPath+".backend")
	}
	if c.ElastiCache != nil && c.Backend != CacheElastiCache {
		k.add(elastiCachePath, nil, fmt.Sprintf("is only allowed with backend elastiCache; backend is %s", c.Backend), "storage.cache.backend")
	}
	if p.Backend == DatabasesRDS && p.RDS != nil {
		k.rds(p)
	}
	if c.Backend == CacheElastiCache && c.ElastiCache != nil {
		k.elastiCache(c.ElastiCache)
	}
	k.awsNetwork()
	k.tags()
}

// tags checks those of the stack. Source: the user guide Tagging AWS Resources.
func (k *checker) tags() {
	const path, most = "aws.tags", 40 // of the 50 that AWS takes
	tags := k.cfg.AWS.Tags
	if len(tags) > most {
		k.add(path, len(tags), fmt.Sprintf("are too many; must be at most %d, which leaves room for those that say what something belongs to", most))
	}
	for _, key := range sortedKeys(tags) {
		switch {
		case !tagText.MatchString(key) || len(key) > 128:
			k.add(path, key, "is no key of a tag; must be 1 to 128 letters, digits, spaces and _.:/=+-@")
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			k.add(path, key, "begins with aws:, which is reserved; must begin otherwise")
		case tags[key] != "" && !tagText.MatchString(tags[key]) || len(tags[key]) > 256:
			k.add(path, key+": "+tags[key], "has no value of a tag; must be up to 256 letters, digits, spaces and _.:/=+-@")
		}
	}
}

var tagText = regexp.MustCompile(`^[\p{L}\p{N} _.:/=+@-]+$`)

func (k *checker) awsNetwork() {
	const path = "aws.network"
	network := k.cfg.AWS.Network
	var by []string
	if k.cfg.Storage.PostgreSQL.Backend == DatabasesRDS {
		by = append(by, "storage.postgresql.backend rds")
	}
	if k.cfg.Storage.Cache.Backend == CacheElastiCache {
		by = append(by, "storage.cache.backend elastiCache")
	}
	related := []string{"cluster.kind", postgresqlPath + ".backend", "storage.cache.backend"}
	switch {
	case network == nil && len(by) > 0 && k.cfg.Cluster.Kind == ClusterExisting:
		k.add(path, nil, "is missing; controlplane:"+by[0]+" needs it with cluster.kind existing: the VPC, subnets and clients of what AWS runs", append(related, "aws")...)
	case network != nil && k.cfg.Cluster.Kind == ClusterEKS:
		k.add(path, nil, "is only allowed with controlplane:cluster.kind existing; kind is eks, whose network is used", related...)
	case network != nil && len(by) == 0:
		k.add(path, nil, "has no effect; is only allowed with controlplane:storage.postgresql.backend rds or storage.cache.backend elastiCache", related...)
	}
	if network != nil && len(network.SubnetIDs) == 1 {
		k.add(path+".subnetIds", network.SubnetIDs[0], "must be at least two subnets, in different zones, which RDS demands")
	}
	if network != nil && isWorld(network.ClientCIDRs) {
		k.add(path+".clientCidrs", nil, "let everybody reach the data; must be the addresses of the cluster's pods or nodes")
	}
}

// notWith reports keys that are given although a backend has no use for them.
func (k *checker) notWith(path, backend string, keys ...string) {
	for _, key := range keys {
		if k.given[path+"."+key] {
			k.add(path+"."+key, nil, "is not allowed with backend "+backend+", which does not use it", path+".backend", postgresqlPath+".backend")
		}
	}
}

func (k *checker) rds(p PostgreSQL) {
	k.needsRegion("storage.postgresql.backend rds", "the AWS region of the databases", postgresqlPath+".backend")
	k.notWith(postgresqlPath, "rds", "instances", "synchronousReplicas", "volume", "walVolume", "resources", "pooler", "backup", "podMonitor", "operator")
	for i, d := range p.Clusters {
		path := clusterPath(i)
		k.notWith(path, "rds", "instances", "volume", "walVolume", "resources", "recovery")
		if strings.Contains(d.Name, "--") {
			k.add(path+".name", d.Name, "must not have two - in a row, which RDS takes in no name")
		}
		for j, database := range d.Databases {
			at := fmt.Sprintf("%s.databases.%d", path, j)
			if isRDSName(database.Name) {
				k.add(at+".name", database.Name, "is a name of RDS' own; must be another name")
			} else if isRDSName(database.Owner) {
				k.add(at+".owner", database.Owner, "is a role of RDS' own; must be another name")
			}
		}
	}
	r := p.RDS
	if k.cfg.Availability == Zonal && !r.MultiAZ {
		k.add(rdsPath+".multiAz", false, "must be true with controlplane:availability zonal", "availability")
	}
	k.rdsStorage(r)
	k.keyInRegion(rdsPath+".kmsKeyArn", r.KMSKeyARN)
	k.windows(r)
	k.authorities(rdsPath+".caBundle", r.CertificateAuthorities)
}

func isRDSName(name string) bool { return name == "rdsadmin" || strings.HasPrefix(name, "rds_") }

// rdsStorage checks sizes. Source: the user guide of Amazon RDS, Amazon RDS DB
// instance storage, and Managing capacity automatically.
func (k *checker) rdsStorage(r *RDS) {
	k.atLeast(rdsPath+".storage", r.Storage, "20Gi", "")
	for name, amount := range map[string]Quantity{"storage": r.Storage, "maxStorage": r.MaxStorage} {
		if amount.Value()%(1<<30) != 0 {
			k.add(rdsPath+"."+name, amount.String(), "must be whole gibibytes, such as 100Gi")
		} else if gibibytes(amount) > 64<<10 {
			k.add(rdsPath+"."+name, amount.String(), `must be at most "64Ti"`)
		}
	}
	size, most := gibibytes(r.Storage), gibibytes(r.MaxStorage)
	if most != size && most*10 < size*11 {
		k.add(rdsPath+".maxStorage", r.MaxStorage.String(), fmt.Sprintf("must be \"%dGi\", with which storage stays as it is, or at least \"%dGi\", a tenth more", size, (size*11+9)/10), rdsPath+".storage")
	}
}

func (k *checker) windows(r *RDS) {
	const shortest = 30 * time.Minute
	backup, maintenance := dailyWindow(r.BackupWindow), k.maintenance(rdsPath+".maintenanceWindow", r.MaintenanceWindow, shortest)
	if backup.length < shortest {
		k.add(rdsPath+".backupWindow", r.BackupWindow, "must be at least half an hour")
	}
	for d := range 7 {
		daily := window{backup.start + time.Duration(d)*day, backup.length}
		if daily.overlaps(maintenance) {
			k.add(rdsPath+".maintenanceWindow", r.MaintenanceWindow, fmt.Sprintf("overlaps with backupWindow, which is %q; must be at another time", r.BackupWindow), rdsPath+".backupWindow")
			return
		}
	}
}

func (k *checker) maintenance(path, text string, shortest time.Duration) window {
	w := weeklyWindow(text)
	if w.length < shortest || w.length > day {
		k.add(path, text, fmt.Sprintf("must be at least %s and at most 24h", short(shortest)))
	}
	return w
}

// window is a span of time in a week that starts on Monday.
type window struct{ start, length time.Duration }

const week = 7 * day

func (w window) overlaps(o window) bool {
	after := func(a, b window) time.Duration { return (b.start - a.start + week) % week }
	return after(w, o) < w.length || after(o, w) < o.length
}

// dailyWindow is that of a Monday.
func dailyWindow(text string) window {
	from, to, _ := strings.Cut(text, "-")
	start := timeOfDay(from)
	return window{start, (timeOfDay(to) - start + day) % day}
}

func weeklyWindow(text string) window {
	from, to, _ := strings.Cut(text, "-")
	start := timeOfWeek(from)
	return window{start, (timeOfWeek(to) - start + week) % week}
}

func timeOfWeek(text string) time.Duration {
	name, clock, _ := strings.Cut(text, ":")
	days := []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	return time.Duration(max(slices.Index(days, name), 0))*day + timeOfDay(clock)
}

// timeOfDay reads hours and minutes, which the schema has checked.
func timeOfDay(text string) time.Duration {
	hours, minutes, _ := strings.Cut(text, ":")
	h, _ := strconv.Atoi(hours)
	m, _ := strconv.Atoi(minutes)
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute
}

func (k *checker) elastiCache(c *ElastiCache) {
	k.needsRegion("storage.cache.backend elastiCache", "the AWS region of the cache", "storage.cache.backend")
	k.notWith("storage.cache", "elastiCache", "images", "servers", "sentinels", "proxies", "resources", "maxMemoryPercent", "persistence", "maxReplicaLag", "serviceMonitor")
	k.zonalMinimum(elastiCachePath+".nodes", c.Nodes, 2, 6)
	k.keyInRegion(elastiCachePath+".kmsKeyArn", c.KMSKeyARN)
	k.maintenance(elastiCachePath+".maintenanceWindow", c.MaintenanceWindow, time.Hour)
}
