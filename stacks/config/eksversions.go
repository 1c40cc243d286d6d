package config

import "time"

// EKSVersion is a minor version of Kubernetes on Amazon EKS.
type EKSVersion struct {
	// Version is the minor version, such as 1.35.
	Version string
	// StandardSupportEnds and ExtendedSupportEnds are the first days (UTC)
	// without standard support, and without any.
	StandardSupportEnds, ExtendedSupportEnds time.Time
	// autoscaler is the image of the cluster autoscaler of this minor version.
	autoscaler string
}

// EKSVersions returns the versions that are known, the oldest one first.
//
// Sources: the release calendar in the user guide of Amazon EKS,
// https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html,
// and the releases of https://github.com/kubernetes/autoscaler.
func EKSVersions() []EKSVersion {
	const autoscaler = "registry.k8s.io/autoscaling/cluster-autoscaler:v"
	return []EKSVersion{
		{"1.31", date(2025, time.November, 26), date(2026, time.November, 26), autoscaler + "1.31.5"},
		{"1.32", date(2026, time.March, 23), date(2027, time.March, 23), autoscaler + "1.32.7"},
		{"1.33", date(2026, time.July, 29), date(2027, time.July, 29), autoscaler + "1.33.5"},
		{"1.34", date(2026, time.December, 2), date(2027, time.December, 2), autoscaler + "1.34.4"},
		{"1.35", date(2027, time.March, 27), date(2028, time.March, 27), autoscaler + "1.35.1"},
		{"1.36", date(2027, time.August, 2), date(2028, time.August, 2), autoscaler + "1.36.1"},
	}
}

func date(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// eksVersion returns what is known of a version.
func eksVersion(version string) (EKSVersion, bool) {
	for _, v := range EKSVersions() {
		if v.Version == version {
			return v, true
		}
	}
	return EKSVersion{}, false
}
