package main

import (
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/telekom/controlplane-infrastructure/automation"
	"github.com/telekom/controlplane-infrastructure/internal/local"
)

// completions are the values of flags that a shell can complete, by the flag's name.
var completions = map[string]cobra.CompletionFunc{
	"stack":      stackNames,
	"plugins":    cobra.FixedCompletions([]string{string(automation.PluginsPublished), string(automation.PluginsBuiltin)}, cobra.ShellCompDirectiveNoFileComp),
	"format":     cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp),
	"fail-on":    cobra.FixedCompletions(failures, cobra.ShellCompDirectiveNoFileComp),
	"kubernetes": cobra.FixedCompletions(local.KubernetesVersions, cobra.ShellCompDirectiveNoFileComp),
}

// addCompletions lets shells complete the flags of a command and of those below it.
func addCompletions(cmd *cobra.Command) {
	for name, values := range completions {
		if cmd.Flags().Lookup(name) == nil {
			continue
		}
		if err := cmd.RegisterFlagCompletionFunc(name, values); err != nil {
			panic(err) // a flag of the command that already has completions: a mistake of this program
		}
	}
	for _, below := range cmd.Commands() {
		addCompletions(below)
	}
}

// stackNames are those of the stack files of the project that the command line names.
func stackNames(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	project, _ := cmd.Flags().GetString("project")
	dir, err := automation.ProjectDir(project)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	files, _ := filepath.Glob(filepath.Join(dir, "Pulumi.*.yaml")) // sorted; the pattern is a good one
	names := make([]string, len(files))
	for i, file := range files {
		names[i] = strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "Pulumi."), ".yaml")
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
