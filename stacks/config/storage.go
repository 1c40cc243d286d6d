package config

// AWS says which account of Amazon Web Services holds what a stack keeps
// there, and who may create it.
type AWS struct {
	// AWS region. Needed by whatever a stack creates in AWS.
	Region string `json:"region,omitempty" jsonschema:"format=aws-region,example=eu-central-1"`
	// A named profile of the shared AWS configuration. Without it the usual rules apply: environment variables, then the default profile, then the credentials of the machine.
	Profile string `json:"profile,omitempty" jsonschema:"minLength=1,example=platform"`
	// ARN of an IAM role to assume before anything is created.
	AssumeRoleARN string `json:"assumeRoleArn,omitempty" jsonschema:"format=iam-role-arn,example=arn:aws:iam::123456789012:role/platform"`
	// Tags of everything that is created, beside those that say what it belongs to.
	Tags map[string]string `json:"tags,omitempty" jsonschema_extras:"x-derived=none"`
	// Where databases and caches that AWS runs (storage.postgresql.backend rds, storage.cache.backend elastiCache) are put with an existing cluster. Not allowed with cluster.kind eks, whose network they are put in.
	Network *AWSNetwork `json:"network,omitempty"`
}

// AWSNetwork is a network that an existing cluster reaches.
type AWSNetwork struct {
	// ID of the VPC.
	VPCID string `json:"vpcId" jsonschema:"required,format=vpc-id,example=vpc-0123456789abcdef0"`
	// Private subnets, at least two, in as many zones as can be.
	SubnetIDs []string `json:"subnetIds" jsonschema:"required,format=subnet-id,uniqueItems=true,minItems=1,example=subnet-0123456789abcdef0"`
	// Addresses that clients connect from, as the subnets see them: those of pods where pods have addresses of the network, otherwise those of nodes. Nobody else is let in.
	ClientCIDRs []string `json:"clientCidrs" jsonschema:"required,format=cidr,uniqueItems=true,minItems=1,example=10.0.0.0/16"`
}

// Storage configures the data of the platform.
type Storage struct {
	// Whether the engine refuses to delete or replace databases, volumes and buckets.
	DeletionProtection bool `json:"deletionProtection" jsonschema_extras:"x-derived=false (single)\\, true (zonal)"`
	// Raise it to have the passwords that clients of the data stores use made anew by the next up.
	PasswordGeneration int `json:"passwordGeneration" jsonschema:"minimum=1,maximum=1000000,default=1"`
	// The StorageClass of every volume.
	StorageClass string `json:"storageClass,omitempty" jsonschema:"format=dns-subdomain" jsonschema_extras:"x-derived=the cluster's default class"`
	// Databases.
	PostgreSQL PostgreSQL `json:"postgresql"`
	// The cache, which clients call Redis.
	Cache Cache `json:"cache"`
	// Buckets with an S3 interface, for the files of the File Manager and the backups of databases.
	ObjectStorage ObjectStorage `json:"objectStorage"`
}

// Volume is the storage of one pod.
type Volume struct {
	// Capacity. It can grow later, if the storage class allows it, and never shrink.
	Size Quantity `json:"size"`
	// The StorageClass of the volume.
	StorageClass string `json:"storageClass,omitempty" jsonschema:"format=dns-subdomain" jsonschema_extras:"x-derived=storage.storageClass"`
}
