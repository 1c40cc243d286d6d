package rules

const bytesFree = `max(minio_cluster_capacity_usable_free_bytes{namespace="minio"}) / ` +
	`max(minio_cluster_capacity_usable_total_bytes{namespace="minio"})`

// objectStorage watches MinIO. Amazon S3 has no metrics here, and no servers of ours.
func objectStorage(a Args) Group {
	g := Group{Name: ObjectStorage, Namespace: "minio"}
	if a.ObjectStorage != MinIO {
		return g
	}
	g.Alerts = []Alert{
		targetDown("ObjectStorage", "the object storage", `namespace="minio"`, "minio"),
		{
			Name: "ObjectStorageUnavailable", For: "2m", Severity: Critical,
			Expr:        `(max(minio_cluster_health_status{namespace="minio"}) or vector(0)) == 0`,
			Summary:     `MinIO has lost its write quorum, or no server answers: files and backups cannot be stored.`,
			Description: "The File Manager fails, and databases cannot archive their log, which fills their volumes.",
		},
		{
			Name: "ObjectStorageServersOffline", For: "10m", Severity: Warning,
			Expr:        `max(minio_cluster_nodes_offline_total{namespace="minio"}) > 0`,
			Summary:     `{{ $value }} of MinIO's servers do not answer the others.`,
			Description: "Objects can still be read and written. Each further loss brings the quorum nearer.",
		},
		{
			Name: "ObjectStorageDrivesOffline", For: "10m", Severity: Warning,
			Expr:        `max(minio_cluster_drive_offline_total{namespace="minio"}) > 0`,
			Summary:     `{{ $value }} of MinIO's drives are offline.`,
			Description: "Objects can still be read and written. Each further loss brings the quorum nearer.",
		},
		{
			Name: "ObjectStorageFilling", For: "30m", Severity: Warning,
			Expr:        bytesFree + ` < 0.2`,
			Summary:     `MinIO has only {{ $value | humanizePercentage }} of its capacity left.`,
			Description: "When it is full, files and backups are refused.",
		},
		{
			Name: "ObjectStorageFull", For: "5m", Severity: Critical,
			Expr:        bytesFree + ` < 0.05`,
			Summary:     `MinIO is nearly full: {{ $value | humanizePercentage }} of its capacity is left.`,
			Description: "When it is full, files and backups are refused, and databases keep their log until their volumes are full.",
		},
	}
	return g
}
