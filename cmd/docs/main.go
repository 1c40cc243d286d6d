// Command docs generates what is derived from the program: from the structs of
// stacks/config the JSON Schema of stack files (schema/stack.json) and the
// configuration reference (docs/configuration.md), from the flows that the
// components declare the page about network policies (docs/network-policies.md),
// from what it creates the permissions for it (docs/permissions.md), and from a
// run of it the picture of the architecture (in README.md).
//
//	go run ./cmd/docs          writes them
//	go run ./cmd/docs --check  fails when one of them is stale
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run returns the exit code: 0 done, 1 failed or stale, 2 wrong usage.
func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("docs", flag.ContinueOnError)
	flags.SetOutput(stderr)
	check := flags.Bool("check", false, "fail when a generated file is stale, instead of writing it")
	root := flags.String("root", ".", "root directory of the project")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	if flags.NArg() > 0 {
		_, _ = fmt.Fprintf(stderr, "docs: unexpected argument %q; there are only flags\n", flags.Arg(0))
		return 2
	}
	files, err := generate(*root)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "docs:", err)
		return 1
	}
	code := 0
	for _, file := range files {
		if err := deliver(file, *root, *check, stdout); err != nil {
			_, _ = fmt.Fprintln(stderr, "docs:", err)
			code = 1
		}
	}
	return code
}

// file is a generated file, by its path below the project's root directory.
type file struct {
	path    string
	content []byte
}

func generate(root string) ([]file, error) {
	schema, err := stackSchema(root)
	if err != nil {
		return nil, fmt.Errorf("generate the schema: %w", err)
	}
	reference, err := reference(schema)
	if err != nil {
		return nil, fmt.Errorf("generate the reference: %w", err)
	}
	policies, err := policies()
	if err != nil {
		return nil, fmt.Errorf("generate the page about network policies: %w", err)
	}
	permissions, err := permissions()
	if err != nil {
		return nil, fmt.Errorf("generate the page about permissions: %w", err)
	}
	page, err := withPicture(root)
	if err != nil {
		return nil, fmt.Errorf("draw the architecture in %s: %w", picturePage, err)
	}
	return []file{
		{"schema/stack.json", schema}, {"docs/configuration.md", reference}, {"docs/network-policies.md", policies},
		{"docs/permissions.md", permissions}, {picturePage, page},
	}, nil
}

// deliver writes a file that has changed, or says that it is stale.
func deliver(f file, root string, check bool, stdout io.Writer) error {
	path := filepath.Join(root, f.path)
	present, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("read %s: %w", f.path, err)
	}
	if err == nil && bytes.Equal(present, f.content) {
		return nil
	}
	if check {
		return fmt.Errorf("%s is stale; run: go run ./cmd/docs", f.path)
	}
	if err := os.WriteFile(path, f.content, 0o644); err != nil {
		return fmt.Errorf("write %s: %w", f.path, err)
	}
	_, err = fmt.Fprintln(stdout, "wrote", f.path)
	return err
}
