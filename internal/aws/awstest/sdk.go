//go:build sdk

package awstest

// Nothing is compiled with the SDK. This keeps it in go.mod, whose version is the one that is read.
import _ "github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
