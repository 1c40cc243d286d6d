// Command metrics-server serves what nodes and pods use. It is upstream's command with upstream's flags, which in a pod
// finds the API server by itself, and elsewhere only by three flags: they default to the file that KUBECONFIG names.
package main

import (
	"fmt"
	"os"

	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/component-base/logs"
	"sigs.k8s.io/metrics-server/cmd/metrics-server/app"
)

func main() {
	logs.InitLogs()
	defer logs.FlushLogs()
	cmd := app.NewMetricsServerCommand(genericapiserver.SetupSignalHandler())
	if kubeconfig := os.Getenv("KUBECONFIG"); kubeconfig != "" {
		for _, flag := range []string{"kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"} {
			if err := cmd.Flags().Set(flag, kubeconfig); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
	}
	if err := cmd.Execute(); err != nil {
		os.Exit(1)
	}
}
