// Package awstest holds what programs register to the typed SDK of pulumi-aws: to names and types of inputs. Only
// tests import it, since the SDK takes long to compile.
package awstest

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"

	sdk "github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/elasticache"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

// typed is something of the SDK that knows the plain Go type behind it.
type typed interface{ ElementType() reflect.Type }

// schema are the inputs of a type, and all of its properties.
type schema struct{ inputs, state typed }

var schemas = map[string]schema{
	"pulumi:providers:aws":      {sdk.ProviderArgs{}, sdk.ProviderArgs{}},
	aws.Bucket:                  {s3.BucketV2Args{}, s3.BucketV2State{}},
	aws.BucketVersioning:        {s3.BucketVersioningV2Args{}, s3.BucketVersioningV2State{}},
	aws.BucketEncryption:        {s3.BucketServerSideEncryptionConfigurationV2Args{}, s3.BucketServerSideEncryptionConfigurationV2State{}},
	aws.BucketPublicAccessBlock: {s3.BucketPublicAccessBlockArgs{}, s3.BucketPublicAccessBlockState{}},
	aws.BucketOwnershipControls: {s3.BucketOwnershipControlsArgs{}, s3.BucketOwnershipControlsState{}},
	aws.BucketPolicy:            {s3.BucketPolicyArgs{}, s3.BucketPolicyState{}},
	aws.BucketLifecycle:         {s3.BucketLifecycleConfigurationV2Args{}, s3.BucketLifecycleConfigurationV2State{}},
	aws.BucketLogging:           {s3.BucketLoggingV2Args{}, s3.BucketLoggingV2State{}},
	aws.Role:                    {iam.RoleArgs{}, iam.RoleState{}},
	aws.RolePolicy:              {iam.RolePolicyArgs{}, iam.RolePolicyState{}},
	aws.Key:                     {kms.KeyArgs{}, kms.KeyState{}},
	aws.KeyAlias:                {kms.AliasArgs{}, kms.AliasState{}},
	aws.OIDCProvider:            {iam.OpenIdConnectProviderArgs{}, iam.OpenIdConnectProviderState{}},
	aws.LogGroup:                {cloudwatch.LogGroupArgs{}, cloudwatch.LogGroupState{}},
	aws.VPC:                     {ec2.VpcArgs{}, ec2.VpcState{}},
	aws.DefaultSecurityGroup:    {ec2.DefaultSecurityGroupArgs{}, ec2.DefaultSecurityGroupState{}},
	aws.Subnet:                  {ec2.SubnetArgs{}, ec2.SubnetState{}},
	aws.InternetGateway:         {ec2.InternetGatewayArgs{}, ec2.InternetGatewayState{}},
	aws.ElasticIP:               {ec2.EipArgs{}, ec2.EipState{}},
	aws.NATGateway:              {ec2.NatGatewayArgs{}, ec2.NatGatewayState{}},
	aws.RouteTable:              {ec2.RouteTableArgs{}, ec2.RouteTableState{}},
	aws.Route:                   {ec2.RouteArgs{}, ec2.RouteState{}},
	aws.RouteTableAssociation:   {ec2.RouteTableAssociationArgs{}, ec2.RouteTableAssociationState{}},
	aws.VPCEndpoint:             {ec2.VpcEndpointArgs{}, ec2.VpcEndpointState{}},
	aws.FlowLog:                 {ec2.FlowLogArgs{}, ec2.FlowLogState{}},
	aws.SecurityGroup:           {ec2.SecurityGroupArgs{}, ec2.SecurityGroupState{}},
	aws.IngressRule:             {vpc.SecurityGroupIngressRuleArgs{}, vpc.SecurityGroupIngressRuleState{}},
	aws.LaunchTemplate:          {ec2.LaunchTemplateArgs{}, ec2.LaunchTemplateState{}},
	aws.EKSCluster:              {eks.ClusterArgs{}, eks.ClusterState{}},
	aws.NodeGroup:               {eks.NodeGroupArgs{}, eks.NodeGroupState{}},
	aws.AddOn:                   {eks.AddonArgs{}, eks.AddonState{}},
	aws.AccessEntry:             {eks.AccessEntryArgs{}, eks.AccessEntryState{}},
	aws.AccessPolicyAssociation: {eks.AccessPolicyAssociationArgs{}, eks.AccessPolicyAssociationState{}},
	aws.PodIdentityAssociation:  {eks.PodIdentityAssociationArgs{}, eks.PodIdentityAssociationState{}},
	aws.DatabaseInstance:        {rds.InstanceArgs{}, rds.InstanceState{}},
	aws.DatabaseSubnetGroup:     {rds.SubnetGroupArgs{}, rds.SubnetGroupState{}},
	aws.DatabaseParameters:      {rds.ParameterGroupArgs{}, rds.ParameterGroupState{}},
	aws.CacheGroup:              {elasticache.ReplicationGroupArgs{}, elasticache.ReplicationGroupState{}},
	aws.CacheSubnetGroup:        {elasticache.SubnetGroupArgs{}, elasticache.SubnetGroupState{}},
	aws.CacheParameters:         {elasticache.ParameterGroupArgs{}, elasticache.ParameterGroupState{}},

	"aws:iam/policy:Policy": {iam.PolicyArgs{}, iam.PolicyState{}},
	aws.PolicyAttachment:    {iam.RolePolicyAttachmentArgs{}, iam.RolePolicyAttachmentState{}},
}

// Inputs returns the inputs of a type by name, and whether each is required; nil for a type that is not known here.
func Inputs(token string) map[string]bool { return names(schemas[token].inputs) }

// Properties returns all properties of a type by name.
func Properties(token string) map[string]bool { return names(schemas[token].state) }

// HasInput says that a type has the input at a path, such as vpcConfig.subnetIds.
func HasInput(token, path string) bool { return has(schemas[token].inputs, path) }

// HasProperty says that a type has the property at a path.
func HasProperty(token, path string) bool { return has(schemas[token].state, path) }

func has(t typed, path string) bool {
	if t == nil {
		return false
	}
	at := t.ElementType()
	for _, name := range strings.Split(path, ".") {
		for at.Kind() == reflect.Pointer || at.Kind() == reflect.Slice {
			at = at.Elem()
		}
		if at.Kind() != reflect.Struct {
			return false
		}
		field, ok := fields(at)[name]
		if !ok {
			return false
		}
		at = field.Type
	}
	return true
}

func names(t typed) map[string]bool {
	if t == nil {
		return nil
	}
	found := map[string]bool{}
	for name, field := range fields(t.ElementType()) {
		found[name] = required(field.Type)
	}
	return found
}

// Problems returns what is wrong with the inputs of a resource. Values that are not known yet are fine.
func Problems(token string, inputs resource.PropertyMap) []string {
	known, ok := schemas[token]
	if !ok {
		return []string{"type " + token + " is not known to this test: add it"}
	}
	return object(token, known.inputs.ElementType(), inputs)
}

func fields(t reflect.Type) map[string]reflect.StructField {
	found := map[string]reflect.StructField{}
	for _, field := range reflect.VisibleFields(t) {
		if name, ok := field.Tag.Lookup("pulumi"); ok {
			found[name] = field
		}
	}
	return found
}

// required inputs are plain in the SDK; lists, maps and unions do not tell.
func required(t reflect.Type) bool {
	return !slices.Contains([]reflect.Kind{reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface}, t.Kind())
}

func object(path string, t reflect.Type, given resource.PropertyMap) (problems []string) {
	known := fields(t)
	for key, v := range given {
		field, ok := known[string(key)]
		if !ok {
			problems = append(problems, fmt.Sprintf("%s has no input %s; it has %v", path, key, slices.Sorted(maps.Keys(known))))
			continue
		}
		problems = append(problems, value(path+"."+string(key), field.Type, v)...)
	}
	for name, field := range known {
		if _, ok := given[resource.PropertyKey(name)]; !ok && required(field.Type) {
			problems = append(problems, fmt.Sprintf("%s lacks %s", path, name))
		}
	}
	return problems
}

func value(path string, t reflect.Type, v resource.PropertyValue) (problems []string) {
	switch {
	case v.IsSecret():
		return value(path, t, v.SecretValue().Element)
	case v.IsComputed() || v.IsOutput() || t.Kind() == reflect.Interface:
		return nil
	case t.Kind() == reflect.Pointer:
		return value(path, t.Elem(), v)
	case t.Kind() == reflect.Struct && v.IsObject():
		return object(path, t, v.ObjectValue())
	case t.Kind() == reflect.Slice && v.IsArray():
		for i, element := range v.ArrayValue() {
			problems = append(problems, value(fmt.Sprintf("%s[%d]", path, i), t.Elem(), element)...)
		}
		return problems
	case t.Kind() == reflect.Map && v.IsObject():
		for key, element := range v.ObjectValue() {
			problems = append(problems, value(path+"."+string(key), t.Elem(), element)...)
		}
		return problems
	case t.Kind() == reflect.String && v.IsString(), t.Kind() == reflect.Bool && v.IsBool(),
		t.Kind() == reflect.Float64 && v.IsNumber(),
		t.Kind() == reflect.Int && v.IsNumber() && v.NumberValue() == math.Trunc(v.NumberValue()):
		return nil
	}
	return []string{fmt.Sprintf("%s is %s; want %s", path, v.TypeString(), t)}
}
