package main

import "github.com/telekom/controlplane-infrastructure/internal/aws"

// actions are what creating, reading, changing and deleting a resource of AWS takes, by its type. A test compares the types
// with those that the stacks create.
var actions = map[string][]string{
	aws.Bucket:                  {"s3:CreateBucket", "s3:DeleteBucket", "s3:GetBucket*", "s3:ListBucket", "s3:GetAccelerateConfiguration", "s3:GetLifecycleConfiguration", "s3:GetReplicationConfiguration", "s3:GetEncryptionConfiguration", "s3:PutBucketTagging"},
	aws.BucketVersioning:        {"s3:GetBucketVersioning", "s3:PutBucketVersioning"},
	aws.BucketEncryption:        {"s3:GetEncryptionConfiguration", "s3:PutEncryptionConfiguration"},
	aws.BucketPublicAccessBlock: {"s3:GetBucketPublicAccessBlock", "s3:PutBucketPublicAccessBlock"},
	aws.BucketOwnershipControls: {"s3:GetBucketOwnershipControls", "s3:PutBucketOwnershipControls"},
	aws.BucketPolicy:            {"s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"},
	aws.BucketLifecycle:         {"s3:GetLifecycleConfiguration", "s3:PutLifecycleConfiguration"},
	aws.BucketLogging:           {"s3:GetBucketLogging", "s3:PutBucketLogging"},

	aws.Role:             {"iam:CreateRole", "iam:DeleteRole", "iam:GetRole", "iam:UpdateRole", "iam:UpdateRoleDescription", "iam:UpdateAssumeRolePolicy", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies", "iam:ListInstanceProfilesForRole", "iam:PassRole", "iam:TagRole", "iam:UntagRole"},
	aws.RolePolicy:       {"iam:PutRolePolicy", "iam:GetRolePolicy", "iam:DeleteRolePolicy"},
	aws.PolicyAttachment: {"iam:AttachRolePolicy", "iam:DetachRolePolicy", "iam:ListAttachedRolePolicies"},
	aws.OIDCProvider:     {"iam:CreateOpenIDConnectProvider", "iam:DeleteOpenIDConnectProvider", "iam:GetOpenIDConnectProvider", "iam:UpdateOpenIDConnectProviderThumbprint", "iam:AddClientIDToOpenIDConnectProvider", "iam:RemoveClientIDFromOpenIDConnectProvider", "iam:TagOpenIDConnectProvider", "iam:UntagOpenIDConnectProvider"},
	aws.Key:              {"kms:CreateKey", "kms:DescribeKey", "kms:GetKeyPolicy", "kms:PutKeyPolicy", "kms:GetKeyRotationStatus", "kms:EnableKeyRotation", "kms:UpdateKeyDescription", "kms:ScheduleKeyDeletion", "kms:CreateGrant", "kms:ListResourceTags", "kms:TagResource", "kms:UntagResource"},
	aws.KeyAlias:         {"kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias", "kms:ListAliases"},
	aws.LogGroup:         {"logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:DescribeLogGroups", "logs:PutRetentionPolicy", "logs:DeleteRetentionPolicy", "logs:ListTagsForResource", "logs:TagResource", "logs:UntagResource"},

	aws.VPC:                   {"ec2:CreateVpc", "ec2:DeleteVpc", "ec2:DescribeVpcs", "ec2:DescribeVpcAttribute", "ec2:ModifyVpcAttribute", "ec2:DescribeNetworkAcls", "ec2:CreateTags", "ec2:DeleteTags"},
	aws.DefaultSecurityGroup:  {"ec2:DescribeSecurityGroups", "ec2:RevokeSecurityGroupIngress", "ec2:RevokeSecurityGroupEgress"},
	aws.Subnet:                {"ec2:CreateSubnet", "ec2:DeleteSubnet", "ec2:DescribeSubnets", "ec2:ModifySubnetAttribute", "ec2:DescribeNetworkInterfaces"},
	aws.InternetGateway:       {"ec2:CreateInternetGateway", "ec2:DeleteInternetGateway", "ec2:DescribeInternetGateways", "ec2:AttachInternetGateway", "ec2:DetachInternetGateway"},
	aws.ElasticIP:             {"ec2:AllocateAddress", "ec2:ReleaseAddress", "ec2:DescribeAddresses", "ec2:DescribeAddressesAttribute", "ec2:DisassociateAddress"},
	aws.NATGateway:            {"ec2:CreateNatGateway", "ec2:DeleteNatGateway", "ec2:DescribeNatGateways"},
	aws.RouteTable:            {"ec2:CreateRouteTable", "ec2:DeleteRouteTable", "ec2:DescribeRouteTables"},
	aws.Route:                 {"ec2:CreateRoute", "ec2:ReplaceRoute", "ec2:DeleteRoute"},
	aws.RouteTableAssociation: {"ec2:AssociateRouteTable", "ec2:DisassociateRouteTable", "ec2:ReplaceRouteTableAssociation"},
	aws.VPCEndpoint:           {"ec2:CreateVpcEndpoint", "ec2:DeleteVpcEndpoints", "ec2:ModifyVpcEndpoint", "ec2:DescribeVpcEndpoints", "ec2:DescribePrefixLists"},
	aws.FlowLog:               {"ec2:CreateFlowLogs", "ec2:DeleteFlowLogs", "ec2:DescribeFlowLogs", "logs:CreateLogDelivery", "logs:DeleteLogDelivery"},
	aws.SecurityGroup:         {"ec2:CreateSecurityGroup", "ec2:DeleteSecurityGroup", "ec2:DescribeSecurityGroups", "ec2:RevokeSecurityGroupEgress"},
	aws.IngressRule:           {"ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress", "ec2:ModifySecurityGroupRules", "ec2:DescribeSecurityGroupRules"},
	aws.LaunchTemplate:        {"ec2:CreateLaunchTemplate", "ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate", "ec2:DeleteLaunchTemplate", "ec2:DescribeLaunchTemplates", "ec2:DescribeLaunchTemplateVersions", "ec2:RunInstances"},

	aws.EKSCluster:              {"eks:CreateCluster", "eks:DeleteCluster", "eks:DescribeCluster", "eks:UpdateClusterConfig", "eks:UpdateClusterVersion", "eks:DescribeUpdate", "eks:ListClusters", "eks:TagResource", "eks:UntagResource"},
	aws.NodeGroup:               {"eks:CreateNodegroup", "eks:DeleteNodegroup", "eks:DescribeNodegroup", "eks:UpdateNodegroupConfig", "eks:UpdateNodegroupVersion"},
	aws.AddOn:                   {"eks:CreateAddon", "eks:DeleteAddon", "eks:DescribeAddon", "eks:DescribeAddonVersions", "eks:UpdateAddon"},
	aws.AccessEntry:             {"eks:CreateAccessEntry", "eks:DeleteAccessEntry", "eks:DescribeAccessEntry", "eks:UpdateAccessEntry"},
	aws.AccessPolicyAssociation: {"eks:AssociateAccessPolicy", "eks:DisassociateAccessPolicy", "eks:ListAssociatedAccessPolicies"},
	aws.PodIdentityAssociation:  {"eks:CreatePodIdentityAssociation", "eks:DeletePodIdentityAssociation", "eks:DescribePodIdentityAssociation", "eks:UpdatePodIdentityAssociation"},

	aws.DatabaseInstance:    {"rds:CreateDBInstance", "rds:DeleteDBInstance", "rds:DescribeDBInstances", "rds:ModifyDBInstance", "rds:RebootDBInstance", "rds:CreateDBSnapshot", "rds:ListTagsForResource", "rds:AddTagsToResource", "rds:RemoveTagsFromResource"},
	aws.DatabaseSubnetGroup: {"rds:CreateDBSubnetGroup", "rds:DeleteDBSubnetGroup", "rds:DescribeDBSubnetGroups", "rds:ModifyDBSubnetGroup"},
	aws.DatabaseParameters:  {"rds:CreateDBParameterGroup", "rds:DeleteDBParameterGroup", "rds:DescribeDBParameterGroups", "rds:DescribeDBParameters", "rds:ModifyDBParameterGroup", "rds:ResetDBParameterGroup"},
	aws.CacheGroup:          {"elasticache:CreateReplicationGroup", "elasticache:DeleteReplicationGroup", "elasticache:DescribeReplicationGroups", "elasticache:DescribeCacheClusters", "elasticache:ModifyReplicationGroup", "elasticache:IncreaseReplicaCount", "elasticache:DecreaseReplicaCount", "elasticache:ListTagsForResource", "elasticache:AddTagsToResource", "elasticache:RemoveTagsFromResource"},
	aws.CacheSubnetGroup:    {"elasticache:CreateCacheSubnetGroup", "elasticache:DeleteCacheSubnetGroup", "elasticache:DescribeCacheSubnetGroups", "elasticache:ModifyCacheSubnetGroup"},
	aws.CacheParameters:     {"elasticache:CreateCacheParameterGroup", "elasticache:DeleteCacheParameterGroup", "elasticache:DescribeCacheParameterGroups", "elasticache:DescribeCacheParameters", "elasticache:ModifyCacheParameterGroup", "elasticache:ResetCacheParameterGroup"},
}
