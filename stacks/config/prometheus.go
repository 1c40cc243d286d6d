package config

// Prometheus configures Prometheus.
type Prometheus struct {
	// Image of Prometheus 3. Its tag begins with the version.
	Image string `json:"image,omitempty" jsonschema:"format=image,default=quay.io/prometheus/prometheus:v3.13.1"`
	// Replicas, each of which collects everything. It is 2 with availability zonal.
	Replicas int `json:"replicas" jsonschema:"minimum=1,maximum=2" jsonschema_extras:"x-derived=1 (single)\\, 2 (zonal)"`
	// How often metrics are collected from whatever does not ask for another interval, and rules are evaluated. From 5s to 2m, in whole seconds.
	ScrapeInterval Duration `json:"scrapeInterval,omitempty" jsonschema:"default=30s"`
	// What is kept.
	Retention PrometheusRetention `json:"retention"`
	// The volume of each replica. Volumes that exist keep their size until their claims are changed, which comes first, because what is kept follows this size.
	Volume Volume `json:"volume" jsonschema_extras:"x-derived=20Gi (single)\\, 50Gi (zonal)"`
	// What each replica reserves and may use.
	Resources ResourceClass `json:"resources" jsonschema_extras:"x-derived=200m CPU and 512Mi\\, at most 1 CPU and 2Gi (single); 500m CPU and 2Gi\\, at most 2 CPU and 4Gi (zonal)"`
	// Labels that mark everything of this Prometheus for other systems: alerts, remote write and Thanos.
	ExternalLabels map[string]string `json:"externalLabels,omitempty"`
	// Other systems that get all samples.
	RemoteWrite []RemoteWrite `json:"remoteWrite,omitempty" jsonschema:"minItems=1"`
	// A Thanos sidecar, which uploads what is collected to an object storage. Without it nothing is uploaded.
	Thanos *Thanos `json:"thanos,omitempty"`
}

// PrometheusRetention says when samples are dropped: with what is reached
// first.
type PrometheusRetention struct {
	// For how long samples are kept: a number of years (y), weeks (w), days (d), hours (h), or several of them in this order, at least 2h.
	Time string `json:"time,omitempty" jsonschema:"format=prometheus-duration" jsonschema_extras:"x-derived=15d (single)\\, 30d (zonal)"`
	// How much the samples may take of the volume: at most 85 % of it, because the write-ahead log and what is being compacted need room too.
	Size Quantity `json:"size" jsonschema_extras:"x-derived=80 % of volume.size"`
}

// RemoteWrite is a system that gets samples.
type RemoteWrite struct {
	// Name of the system, for the metrics and logs of Prometheus.
	Name string `json:"name" jsonschema:"required,format=dns-label,example=central"`
	// URL of its remote write API.
	URL string `json:"url" jsonschema:"required,format=https-url,example=https://metrics.example.com/api/v1/write"`
	// User and password. Excludes bearerToken.
	BasicAuth *BasicAuth `json:"basicAuth,omitempty"`
	// Token in the header Authorization. Excludes basicAuth.
	BearerToken Secret `json:"bearerToken,omitempty" jsonschema:"minLength=1"`
}

// BasicAuth is a user with a password.
type BasicAuth struct {
	// Name of the user.
	Username string `json:"username" jsonschema:"required,minLength=1"`
	// Password of the user.
	Password Secret `json:"password" jsonschema:"required,minLength=1"`
}

// Thanos configures the sidecar of Thanos.
type Thanos struct {
	// Image of Thanos. Its tag begins with the version.
	Image string `json:"image,omitempty" jsonschema:"format=image,default=quay.io/thanos/thanos:v0.40.1"`
	// Where blocks are uploaded to.
	ObjectStorage ThanosObjectStorage `json:"objectStorage" jsonschema:"required"`
	// What the sidecar reserves and may use.
	Resources ResourceClass `json:"resources" defaults:"requests.cpu=50m,requests.memory=128Mi,limits.cpu=500m,limits.memory=512Mi"`
}

// ThanosObjectStorage is a bucket with an S3 interface.
type ThanosObjectStorage struct {
	// Host and optional port of the S3 interface, which must serve TLS.
	Endpoint string `json:"endpoint,omitempty" jsonschema:"format=endpoint,example=s3.eu-central-1.amazonaws.com" jsonschema_extras:"x-derived=that of storage.objectStorage"`
	// Bucket, which must exist.
	Bucket string `json:"bucket" jsonschema:"required,format=bucket-name"`
	// Region of the bucket.
	Region string `json:"region,omitempty" jsonschema:"minLength=1,example=eu-central-1" jsonschema_extras:"x-derived=aws.region with storage.objectStorage.backend s3\\, otherwise none"`
	// Access key of a user that may read, write and delete in the bucket.
	AccessKey string `json:"accessKey" jsonschema:"required,minLength=1"`
	// Secret key of that user.
	SecretKey Secret `json:"secretKey" jsonschema:"required,minLength=1"`
}
