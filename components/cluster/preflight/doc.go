// Package preflight tells what an existing cluster lacks, before anything is created on it: all of it at once, each with
// what was found, what is needed and how to get it.
package preflight
