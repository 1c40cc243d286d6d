package main

import "github.com/spf13/cobra"

// addLockWait adds the flag of that name, to commands that change a stack.
func (f *runFlags) addLockWait(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&f.options.LockWait, "lock-wait", 0,
		"how long to wait, such as 10m, while another run has locked the stack (default: not at all)")
}
