// Command trust-package writes the public root certificates that Mozilla trusts, as the JSON package that
// trust-manager reads. It stands for the image quay.io/jetstack/trust-pkg-debian-bookworm, whose package is made from
// Debian's ca-certificates, and takes its command line: [--wait] [/copyandmaybepause] FROM TO. There is nothing to
// copy, so FROM, a directory of that image, is not looked at.
package main

import (
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// packageName is what the file is called and what the Helm chart lets trust-manager read.
const packageName = "cert-manager-package-debian"

// version is the one of the module that the certificates come from; the linker sets it.
var version = "unknown"

func main() {
	wait := flag.Bool("wait", false, "do not end before a signal comes")
	flag.Usage = func() {
		fmt.Fprintf(os.Stderr, "usage: %s [--wait] [/copyandmaybepause] FROM TO\n", filepath.Base(os.Args[0]))
	}
	flag.Parse()
	args := flag.Args()
	if len(args) == 3 && args[0] == "/copyandmaybepause" { // the image's command before it had an entry point
		args = args[1:]
	}
	if len(args) != 2 {
		flag.Usage()
		os.Exit(2)
	}
	path, err := write(args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "trust-package:", err)
		os.Exit(1)
	}
	fmt.Fprintln(os.Stderr, "wrote", path)
	if *wait {
		end := make(chan os.Signal, 1)
		signal.Notify(end, os.Interrupt, syscall.SIGTERM)
		<-end
	}
}

func write(dir string) (string, error) {
	var roots strings.Builder
	for root := range bundle.Roots() {
		if root.Constraint != nil {
			continue // trusted only under conditions that PEM cannot say
		}
		if err := pem.Encode(&roots, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}); err != nil {
			return "", err
		}
	}
	content, err := json.Marshal(map[string]string{"name": packageName, "bundle": roots.String(), "version": version})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, packageName+".json")
	return path, os.WriteFile(path, content, 0o644)
}
