package aws

import (
	"encoding/json"
	"fmt"
)

// Policy is an IAM policy document: a permission, trust, bucket or key policy.
type Policy []Statement

// Statement allows or denies actions.
type Statement struct {
	Sid string
	// Effect is Allow or Deny.
	Effect string
	// Principal says who, by sort (AWS, Federated, Service); only in policies that belong to a resource.
	Principal map[string][]string `json:",omitempty"`
	Action    []string
	Resource  []string `json:",omitempty"`
	// Condition limits the statement: by operator and condition key, the values of which one must match.
	Condition map[string]map[string][]string `json:",omitempty"`
}

// Anyone is the principal that stands for everybody.
func Anyone() map[string][]string { return map[string][]string{"AWS": {"*"}} }

// JSON returns the document. The same policy is always the same text.
func (p Policy) JSON() (string, error) {
	data, err := json.Marshal(struct {
		Version   string
		Statement []Statement
	}{"2012-10-17", p})
	if err != nil {
		return "", fmt.Errorf("encode a policy: %w", err)
	}
	return string(data), nil
}

// WebIdentityTrust lets the subjects of an OIDC provider assume a role, with tokens for this audience only.
func WebIdentityTrust(providerARN, audience string, subjects []string) (Policy, error) {
	issuer, err := OIDCIssuer(providerARN)
	if err != nil {
		return nil, err
	}
	return Policy{{
		Sid: "WebIdentity", Effect: "Allow",
		Principal: map[string][]string{"Federated": {providerARN}},
		Action:    []string{"sts:AssumeRoleWithWebIdentity"},
		Condition: map[string]map[string][]string{
			"StringEquals": {issuer + ":aud": {audience}, issuer + ":sub": subjects},
		},
	}}, nil
}

// ServiceTrust lets a service of AWS assume a role. Without conditions it does so for whoever may pass the role on.
func ServiceTrust(principal string, conditions map[string]map[string][]string) Policy {
	return Policy{{
		Sid: "Service", Effect: "Allow",
		Principal: map[string][]string{"Service": {principal}},
		Action:    []string{"sts:AssumeRole"},
		Condition: conditions,
	}}
}

// PodIdentityTrust lets pods of one service account of one EKS cluster assume a role. EKS says in tags of the session
// whom it is for.
// Source: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html and pod-id-abac.html beside it.
func PodIdentityTrust(clusterARN, namespace, serviceAccount string) Policy {
	return Policy{{
		Sid: "PodIdentity", Effect: "Allow",
		Principal: map[string][]string{"Service": {"pods.eks.amazonaws.com"}},
		Action:    []string{"sts:AssumeRole", "sts:TagSession"},
		Condition: map[string]map[string][]string{"StringEquals": {
			"aws:RequestTag/eks-cluster-arn":            {clusterARN},
			"aws:RequestTag/kubernetes-namespace":       {namespace},
			"aws:RequestTag/kubernetes-service-account": {serviceAccount},
		}},
	}}
}
