// Package schema holds the JSON Schema of stack files, generated from the
// structs of stacks/config by cmd/docs. Stack files name it in their first
// line, so that editors complete and check them.
package schema

import _ "embed"

// Stack is the JSON Schema of Pulumi.<stack>.yaml.
//
//go:embed stack.json
var Stack []byte
