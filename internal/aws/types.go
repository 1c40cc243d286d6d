package aws

// The types of resources that the program registers.
const (
	Bucket                  = "aws:s3/bucketV2:BucketV2"
	BucketVersioning        = "aws:s3/bucketVersioningV2:BucketVersioningV2"
	BucketEncryption        = "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2"
	BucketPublicAccessBlock = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
	BucketOwnershipControls = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
	BucketPolicy            = "aws:s3/bucketPolicy:BucketPolicy"
	BucketLifecycle         = "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2"
	BucketLogging           = "aws:s3/bucketLoggingV2:BucketLoggingV2"

	Role             = "aws:iam/role:Role"
	RolePolicy       = "aws:iam/rolePolicy:RolePolicy"
	PolicyAttachment = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
	OIDCProvider     = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
	Key              = "aws:kms/key:Key"
	KeyAlias         = "aws:kms/alias:Alias"
	LogGroup         = "aws:cloudwatch/logGroup:LogGroup"

	VPC                   = "aws:ec2/vpc:Vpc"
	DefaultSecurityGroup  = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
	Subnet                = "aws:ec2/subnet:Subnet"
	InternetGateway       = "aws:ec2/internetGateway:InternetGateway"
	ElasticIP             = "aws:ec2/eip:Eip"
	NATGateway            = "aws:ec2/natGateway:NatGateway"
	RouteTable            = "aws:ec2/routeTable:RouteTable"
	Route                 = "aws:ec2/route:Route"
	RouteTableAssociation = "aws:ec2/routeTableAssociation:RouteTableAssociation"
	VPCEndpoint           = "aws:ec2/vpcEndpoint:VpcEndpoint"
	FlowLog               = "aws:ec2/flowLog:FlowLog"
	SecurityGroup         = "aws:ec2/securityGroup:SecurityGroup"
	IngressRule           = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	LaunchTemplate        = "aws:ec2/launchTemplate:LaunchTemplate"

	EKSCluster              = "aws:eks/cluster:Cluster"
	NodeGroup               = "aws:eks/nodeGroup:NodeGroup"
	AddOn                   = "aws:eks/addon:Addon"
	AccessEntry             = "aws:eks/accessEntry:AccessEntry"
	AccessPolicyAssociation = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
	PodIdentityAssociation  = "aws:eks/podIdentityAssociation:PodIdentityAssociation"

	DatabaseInstance    = "aws:rds/instance:Instance"
	DatabaseSubnetGroup = "aws:rds/subnetGroup:SubnetGroup"
	DatabaseParameters  = "aws:rds/parameterGroup:ParameterGroup"
	CacheGroup          = "aws:elasticache/replicationGroup:ReplicationGroup"
	CacheSubnetGroup    = "aws:elasticache/subnetGroup:SubnetGroup"
	CacheParameters     = "aws:elasticache/parameterGroup:ParameterGroup"
)

// Taggable tells whether resources of a type can have tags.
func Taggable(token string) bool { return !untagged[token] }

var untagged = map[string]bool{
	BucketVersioning: true, BucketEncryption: true, BucketPublicAccessBlock: true, BucketOwnershipControls: true,
	BucketPolicy: true, BucketLifecycle: true, BucketLogging: true,
	RolePolicy: true, PolicyAttachment: true, KeyAlias: true,
	Route: true, RouteTableAssociation: true, AccessPolicyAssociation: true,
}
