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
