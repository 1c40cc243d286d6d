// Package aws registers AWS resources as plain Pulumi resources, in the form that the pulumi-aws plugin takes.
//
// The typed SDK of pulumi-aws would say the same in more than half a minute of compilation before each first run of a
// pipeline. Names and types of inputs are held to that SDK by tests instead, see the package awstest.
package aws
