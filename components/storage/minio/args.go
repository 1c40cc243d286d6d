package minio

import (
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

const (
	fewestServers = 4  // with fewer, the loss of one would stop writes
	mostServers   = 16 // what fits into one erasure set
)

// Args configure the component. Native types decide what exists.
type Args struct {
	part.Common
	// Image is MinIO's, with sh and mc in it: it also runs the set-up.
	Image string
	// Servers is how many there are, each with a volume: 1, or 4 to 16. It can never change.
	Servers int
	// Volume is the volume of each server.
	Volume part.Volume
	// Resources are what each server reserves and may use.
	Resources corev1.ResourceRequirements
	// Bucket is the File Manager's bucket.
	Bucket string
	// BackupBucket is where backups go; empty: there is none.
	BackupBucket string
	// ServiceMonitor declares the metrics to Prometheus; it needs the ServiceMonitor resource definition.
	ServiceMonitor bool
}

// check reports what cannot work; the configuration is checked before, so this is for other callers.
func (a Args) check() error {
	var problems []error
	add := func(format string, values ...any) { problems = append(problems, fmt.Errorf(format, values...)) }
	if a.Servers != 1 && (a.Servers < fewestServers || a.Servers > mostServers) {
		add("Servers is %d: allowed are 1, or %d to %d", a.Servers, fewestServers, mostServers)
	}
	if a.Availability == workload.Zonal && a.Servers == 1 {
		add("Servers is 1: with availability zonal allowed are %d to %d", fewestServers, mostServers)
	}
	if a.Image == "" {
		add("Image is missing")
	}
	if a.Bucket == "" {
		add("Bucket is missing")
	}
	if a.Bucket != "" && a.Bucket == a.BackupBucket {
		add("BackupBucket is %q: the File Manager's bucket is not allowed for backups", a.BackupBucket)
	}
	if _, err := resource.ParseQuantity(a.Volume.Size); err != nil {
		add("Volume.Size is %q: allowed are quantities such as 10Gi", a.Volume.Size)
	}
	return errors.Join(problems...)
}
