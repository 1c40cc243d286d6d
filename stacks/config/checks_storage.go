package config

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
)

func (k *checker) cache() {
	const path = "storage.cache"
	c := k.cfg.Storage.Cache
	if c.Backend != Valkey {
		return
	}
	k.zonalMinimum(path+".servers", c.Servers, 3, 7)
	if c.Servers == 2 && k.cfg.Availability == Single {
		k.add(path+".servers", c.Servers, "must be 1, or from 3 to 7: with two, writes stop when either is gone, so that one alone is better")
	}
	if c.Servers > 1 {
		k.zonalMinimum(path+".proxies", c.Proxies, 2, 5)
		if c.Sentinels%2 == 0 {
			k.add(path+".sentinels", c.Sentinels, "must be an odd number, such as 3 or 5, so that a majority can always be formed")
		}
	} else if k.cfg.Availability == Single {
		for name, n := range map[string]int{"sentinels": c.Sentinels, "proxies": c.Proxies} {
			if n > 0 {
				k.add(path+"."+name, n, "is only allowed with more than one server; servers is 1", path+".servers")
			}
		}
	}
	k.class(path+".resources", c.Resources)
	k.cacheMemory(path, c, c.Resources.Limits.Memory.Value()/100*int64(c.MaxMemoryPercent))
	if lag := c.MaxReplicaLag.Std(); lag < time.Second || lag%time.Second != 0 {
		k.add(path+".maxReplicaLag", short(lag), "must be a number of whole seconds, at least 1s")
	}
}

// cacheMemory checks that there is room for data, given in bytes, in memory
// and on the volume.
func (k *checker) cacheMemory(path string, c Cache, data int64) {
	const minimum = 64 << 20
	if data < minimum {
		k.add(path+".resources.limits.memory", c.Resources.Limits.Memory.String(), fmt.Sprintf(
			"leaves %dMi for data with maxMemoryPercent %d; must leave at least 64Mi", data>>20, c.MaxMemoryPercent), path+".maxMemoryPercent")
	}
	if v := c.Persistence; v != nil && v.Size.Value()/2 < data {
		k.add(path+".persistence.size", v.Size.String(), fmt.Sprintf(
			"must be at least \"%dMi\", twice the memory for data: a file is written anew while the old one is kept", (data>>19)+1),
			path+".resources.limits.memory", path+".maxMemoryPercent")
	}
}

func (k *checker) objectStorage() {
	const path = objectStoragePath
	o := k.cfg.Storage.ObjectStorage
	if o.MinIO != nil && o.Backend != ObjectsMinIO {
		k.add(path+".minio", nil, fmt.Sprintf("is only allowed with backend minio; backend is %s", o.Backend), path+".backend")
	}
	if o.S3 != nil && o.Backend != ObjectsS3 {
		k.add(path+".s3", nil, fmt.Sprintf("is only allowed with backend s3; backend is %s", o.Backend), path+".backend")
	}
	k.buckets(path, o)
	switch {
	case o.Backend == ObjectsMinIO && o.MinIO != nil:
		k.minio(path+".minio", o.MinIO)
	case o.Backend == ObjectsS3:
		k.s3(path, o)
	}
}

func (k *checker) buckets(path string, o ObjectStorage) {
	if o.Backend == ObjectsNone {
		for name, bucket := range map[string]string{"bucket": o.Bucket, "backupBucket": o.BackupBucket} {
			if bucket != "" {
				k.add(path+"."+name, bucket, "is only allowed with backend minio or s3; backend is none", path+".backend")
			}
		}
		return
	}
	if o.Bucket == "" {
		return
	}
	if o.BackupBucket == o.Bucket {
		k.add(path+".backupBucket", o.BackupBucket, "is the File Manager's bucket; must be another one, because that one's users must not read backups", path+".bucket")
	} else if !isBucketName(o.BackupBucket) {
		k.add(path+".backupBucket", o.BackupBucket, "is what follows from bucket, and no name of a bucket; must be given", path+".bucket")
	}
}

func (k *checker) minio(path string, m *MinIO) {
	k.zonalMinimum(path+".servers", m.Servers, 4, 16)
	if k.cfg.Availability == Single && (m.Servers == 2 || m.Servers == 3) {
		k.add(path+".servers", m.Servers, "must be 1, or from 4 to 16: fewer than 4 servers cannot repair what one of them loses")
	}
	k.class(path+".resources", m.Resources)
}

// s3 checks what buckets in Amazon S3 need elsewhere.
func (k *checker) s3(path string, o ObjectStorage) {
	const why = "; controlplane:storage.objectStorage.backend s3 needs "
	k.needsRegion(path+".backend s3", "the AWS region of the buckets", path+".backend")
	if k.cfg.Cluster.OIDCProviderARN == "" && k.cfg.Cluster.Kind == ClusterExisting {
		k.add("cluster.oidcProviderArn", nil, "is missing"+why+"the ARN of the cluster's IAM OIDC provider, so that pods get at the buckets without stored keys", path+".backend", "cluster")
	}
	if o.Bucket == "" {
		k.add(path+".bucket", nil, "is missing; backend s3 needs the name of a bucket that nobody else in the world has", path, path+".backend")
	}
	k.keyInRegion(path+".s3.kmsKeyArn", o.S3.KMSKeyARN)
	if log := o.S3.AccessLogBucket; log != "" && (log == o.Bucket || log == o.BackupBucket) {
		k.add(path+".s3.accessLogBucket", log, "is the bucket that is logged; must be another one, because each entry would make one more", path+".bucket", path+".backupBucket")
	}
}

// atLeast checks an amount that has a minimum.
func (k *checker) atLeast(path string, amount Quantity, minimum, why string) {
	if amount.Cmp(resource.MustParse(minimum)) < 0 {
		k.add(path, amount.String(), fmt.Sprintf("must be at least %q%s", minimum, why))
	}
}
