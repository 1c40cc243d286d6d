package main

import "github.com/spf13/cobra"

func newDrift() *cobra.Command { return &cobra.Command{Use: "drift"} }
