package eks

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"sigs.k8s.io/yaml"
)

// kubeconfig has kubectl, and the Kubernetes plugin, ask AWS for a token.
func (b *builder) kubeconfig(control *controlPlane) pulumi.StringOutput {
	authority := field(control.CertificateAuthority, "certificateAuthority", "data")
	return pulumi.All(control.Endpoint, authority).ApplyT(func(values []any) (string, error) {
		return kubeconfig(b.args.Name, values[0].(string), values[1].(string), b.args.token())
	}).(pulumi.StringOutput)
}

// token are the arguments of the AWS CLI that print a token, for the same principal that the provider is.
func (a Args) token() []string {
	arguments := []string{"eks", "get-token", "--cluster-name", a.Name, "--region", a.Region, "--output", "json"}
	if a.Profile != "" {
		arguments = append(arguments, "--profile", a.Profile)
	}
	if a.AssumeRoleARN != "" {
		arguments = append(arguments, "--role-arn", a.AssumeRoleARN)
	}
	return arguments
}

// kubeconfig is always the same text for the same cluster.
func kubeconfig(name, server, authority string, token []string) (string, error) {
	type object = map[string]any
	text, err := yaml.Marshal(object{
		"apiVersion": "v1", "kind": "Config", "current-context": name,
		"clusters": []object{{"name": name, "cluster": object{
			"server": server, "certificate-authority-data": authority,
		}}},
		"contexts": []object{{"name": name, "context": object{"cluster": name, "user": name}}},
		"users": []object{{"name": name, "user": object{"exec": object{
			"apiVersion": "client.authentication.k8s.io/v1beta1", "interactiveMode": "Never",
			"command": "aws", "args": token,
			"installHint": "kubectl gets its tokens for EKS from the AWS CLI: see https://docs.aws.amazon.com/cli/",
		}}}},
	})
	if err != nil {
		return "", fmt.Errorf("write the kubeconfig of %s: %w", name, err)
	}
	return string(text), nil
}
