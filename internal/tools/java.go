package tools

import (
	"cmp"
	"context"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
)

const (
	java      = "java"
	javaMajor = 17 // the oldest that Keycloak runs with
)

var javaVersion = regexp.MustCompile(`version "(\d+)[^"]*"`)

// suits says what is wrong with a program of that name, if anything.
func suits(ctx context.Context, name, path string) error {
	if name != java {
		return nil
	}
	out, err := exec.CommandContext(ctx, path, "-version").CombinedOutput()
	if err != nil {
		return fmt.Errorf("java -version: %w: %s", err, strings.TrimSpace(string(out)))
	}
	match := javaVersion.FindSubmatch(out)
	if match == nil {
		return fmt.Errorf("java -version says no version: %s", strings.TrimSpace(string(out)))
	}
	if major, err := strconv.Atoi(string(match[1])); err != nil || major < javaMajor {
		return fmt.Errorf("its %s is too old, wanted is %d or newer", match[0], javaMajor)
	}
	return nil
}

// Where Debian keeps certificate authorities: those of the system, those of the package that they come from, and those
// that Java trusts.
const (
	systemAuthorities  = "/etc/ssl/certs/ca-certificates.crt"
	packageAuthorities = "usr/share/ca-certificates/*/*.crt"
	javaAuthorities    = "etc/ssl/certs/java/cacerts"
)

// writeTrustStore makes the store of certificate authorities that Java trusts, if the package that does so when it is
// installed is among those below root: the machine's authorities, or where it has none the packages'.
func writeTrustStore(root string) error {
	if !exists(filepath.Join(root, "usr", "share", "ca-certificates-java")) {
		return nil
	}
	files := []string{cmp.Or(os.Getenv("SSL_CERT_FILE"), systemAuthorities)}
	if !exists(files[0]) {
		files, _ = filepath.Glob(filepath.Join(root, packageAuthorities)) // the pattern is valid
	}
	store := keystore.New(keystore.WithOrderedAliases())
	for _, file := range files {
		rest, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var block *pem.Block
		for block, rest = pem.Decode(rest); block != nil; block, rest = pem.Decode(rest) {
			entry := keystore.TrustedCertificateEntry{
				CreationTime: time.Now(), Certificate: keystore.Certificate{Type: "X.509", Content: block.Bytes},
			}
			if err := store.SetTrustedCertificateEntry(strconv.Itoa(len(store.Aliases())), entry); err != nil {
				return err
			}
		}
	}
	path := filepath.Join(root, javaAuthorities)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	defer out.Close()
	// The format wants a password, and this one is every Java's.
	if err := store.Store(out, []byte("changeit")); err != nil {
		return err
	}
	return out.Close()
}
