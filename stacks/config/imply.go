package config

// imply adds, before defaults are filled in, what follows from the choice of a
// source, a backend or a profile and cannot be told from a value's absence
// afterwards: the section of what is chosen, and derived values whose zero may
// be chosen too.
func imply(components map[string]any) {
	ca := group(group(components, "certTrust"), "platformCA")
	if source := ca["source"]; source == nil || source == string(CASelfSigned) {
		group(ca, "selfSigned")
	}
	implyCluster(group(components, "cluster"))
	storage := group(components, "storage")
	objects, databases := group(storage, "objectStorage"), group(storage, "postgresql")
	switch backend := objects["backend"]; backend {
	case nil, string(ObjectsMinIO):
		group(objects, "minio")
	case string(ObjectsS3):
		group(objects, "s3")
	}
	zonal := components["availability"] == string(Zonal)
	absent(storage, "deletionProtection", zonal)
	onCluster := databases["backend"] == nil || databases["backend"] == string(CloudNativePG)
	absent(group(databases, "backup"), "enabled", zonal && onCluster && objects["backend"] != string(ObjectsNone))
	if zonal && onCluster {
		absent(databases, "synchronousReplicas", 1)
	}
	implyManaged(databases, group(storage, "cache"), zonal)
	implyRealms(group(components, "identity"))
	implyNetwork(group(components, "network"), zonal, group(components, "cluster")["kind"] == string(ClusterEKS))
	implyMonitoring(group(components, "monitoring"))
}

// group returns the map at a key, which it makes where there is none.
func group(values map[string]any, name string) map[string]any {
	g, ok := values[name].(map[string]any)
	if !ok {
		g = map[string]any{}
		values[name] = g
	}
	return g
}

// absent sets a key that is not set.
func absent(values map[string]any, name string, value any) {
	if values[name] == nil {
		values[name] = value
	}
}
