// The program that `pulumi up` runs.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/stacks"
)

func main() { pulumi.Run(stacks.Program) }
