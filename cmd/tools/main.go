// Command tools builds the programs that tests and the local control plane run, and tells where they are.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"text/tabwriter"

	"github.com/telekom/controlplane-infrastructure/internal/tools"
)

const usage = `Builds the programs that tests and the local control plane run, from the Go modules pinned under tools/, and fetches
those that are Debian packages, where the machine does not have them, or in a Maven repository.

Usage:
  tools build [NAME...]   build the named ones that are missing, or all from Go modules
  tools build --all       the same for all, with those that are fetched
  tools list [--json]     what there is, its version, and whether it is built
  tools path NAME         the path of its binary, built if missing
  tools clean             remove all built ones of this user

Environment:
  ` + tools.CacheEnv + `   directory to keep them in (default: below the user's cache directory)
  ` + tools.PulumiEnv + `        a Pulumi command line to use, or "build" for the pinned one
                         (default: the one on PATH if it suits, else the pinned one)

Exit codes: 0 done, 1 failed, 2 wrong usage.
`

// errUsage is wrapped by errors about the command line.
var errUsage = errors.New("wrong usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	switch {
	case err == nil:
	case errors.Is(err, errUsage):
		fmt.Fprintf(os.Stderr, "tools: %v\n\n%s", err, usage)
		os.Exit(2)
	default:
		fmt.Fprintf(os.Stderr, "tools: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("tools", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	asJSON, all := flags.Bool("json", false, ""), flags.Bool("all", false, "")
	words, err := parse(flags, args)
	if errors.Is(err, flag.ErrHelp) || len(words) == 1 && words[0] == "help" {
		_, err := io.WriteString(out, usage)
		return err
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if len(words) == 0 {
		return fmt.Errorf("%w: no command", errUsage)
	}
	command, names := words[0], words[1:]
	if *asJSON && command != "list" {
		return fmt.Errorf("%w: --json goes with list", errUsage)
	}
	if *all && (command != "build" || len(names) > 0) {
		return fmt.Errorf("%w: --all goes with build, and without names", errUsage)
	}
	if *all {
		names = tools.All()
	}
	switch {
	case command == "build":
		_, err := tools.Build(ctx, names...)
		return err
	case command == "list" && len(names) == 0:
		return list(ctx, out, *asJSON)
	case command == "path" && len(names) == 1:
		path, err := tools.Path(ctx, names[0])
		if err == nil {
			fmt.Fprintln(out, path)
		}
		return err
	case command == "clean" && len(names) == 0:
		dir, err := tools.Clean(ctx)
		if err == nil {
			fmt.Fprintln(out, "removed built tools from", dir)
		}
		return err
	}
	return fmt.Errorf("%w: %q", errUsage, words)
}

// parse returns the words of the command line; flags may stand between them.
func parse(flags *flag.FlagSet, args []string) ([]string, error) {
	var words []string
	for len(args) > 0 {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		args = flags.Args()
		if len(args) > 0 {
			words, args = append(words, args[0]), args[1:]
		}
	}
	return words, nil
}

func list(ctx context.Context, out io.Writer, asJSON bool) error {
	all, err := tools.List(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(all)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tVERSION\tREADY\tPATH")
	for _, s := range all {
		ready := "no"
		if s.Ready {
			ready = "yes"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", s.Name, s.Version, ready, s.Path)
	}
	return table.Flush()
}
