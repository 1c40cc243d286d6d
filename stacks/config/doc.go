// Package config is what a stack may configure: one object per component,
// under the project's namespace in Pulumi.<stack>.yaml.
//
// The structs of this package, with their comments and tags, are the only
// source: the JSON Schema that editors use (schema/stack.json) and the
// reference (docs/configuration.md) are generated from them by cmd/docs, and
// values are checked at run time against that same schema. Relations between
// values, which a schema cannot state, are checked in Go. All problems are
// reported at once, with the full path of the key.
//
// The package needs neither an engine nor a cluster nor credentials.
package config
