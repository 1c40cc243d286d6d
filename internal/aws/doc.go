// Package aws registers AWS resources as plain Pulumi resources, in the form that the pulumi-aws plugin takes.
//
// The typed SDK of pulumi-aws would do the same, but every pipeline would have to compile its large packages before its
// first run. Names and types of inputs are held to that SDK by tests instead, see the package awstest.
package aws
