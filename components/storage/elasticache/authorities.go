package elasticache

import _ "embed"

// Authorities are the certificates, in PEM, of those that sign the servers': Amazon Trust Services, whose certificates
// are among the public ones of every system. Source: the package ca-certificates of Debian, which has them from Mozilla.
//
//go:embed authorities.pem
var Authorities string
