// Command plugin-barman-cloud is the part of the Barman Cloud plugin that CloudNativePG's operator asks. It is upstream's,
// without the parts that run beside PostgreSQL, in the pods of the instances.
package main

import (
	"os"

	"github.com/cloudnative-pg/machinery/pkg/log"
	"github.com/spf13/cobra"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cloudnative-pg/plugin-barman-cloud/internal/cmd/operator"
)

func main() {
	logging := &log.Flags{}
	root := &cobra.Command{Use: "manager", SilenceUsage: true}
	logging.AddFlags(root.PersistentFlags())
	command := operator.NewCmd()
	command.PersistentPreRunE = func(*cobra.Command, []string) error {
		logging.ConfigureLogging()
		return nil
	}
	root.AddCommand(command)
	ctx := log.IntoContext(ctrl.SetupSignalHandler(), log.GetLogger())
	if err := root.ExecuteContext(ctx); err != nil {
		os.Exit(1)
	}
}
