package main

import "github.com/spf13/cobra"

func newHandover() *cobra.Command { return &cobra.Command{Use: "handover"} }
