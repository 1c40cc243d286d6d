package awstest

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

// sdk returns the directory of the SDK's Go packages, in the version of go.mod.
var sdk = sync.OnceValue(func() string {
	out, err := exec.Command("go", "mod", "download", "-json", "github.com/pulumi/pulumi-aws/sdk/v6").Output()
	var module struct{ Dir string }
	if err = errors.Join(err, json.Unmarshal(out, &module)); err != nil || module.Dir == "" {
		panic(fmt.Sprintf("find the SDK of pulumi-aws: %v: %s", err, out))
	}
	return filepath.Join(module.Dir, "go", "aws")
})

// source is a package of the SDK, as far as it has been read.
type source struct {
	dir   string
	mu    sync.Mutex
	read  map[string]bool
	types map[string]ast.Expr
}

var (
	sourcesMu sync.Mutex
	sources   = map[string]*source{}
)

func sourceOf(name string) *source {
	sourcesMu.Lock()
	defer sourcesMu.Unlock()
	if sources[name] == nil {
		sources[name] = &source{dir: filepath.Join(sdk(), name), read: map[string]bool{}, types: map[string]ast.Expr{}}
	}
	return sources[name]
}

// find returns a type by its name, which is in this file or in one of those that all types of a package share.
func (s *source) find(name, file string) ast.Expr {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, each := range []string{file, "pulumiTypes.go", "pulumiTypes1.go", "pulumiEnums.go"} {
		if found := s.types[name]; found != nil {
			return found
		}
		s.parse(each)
	}
	return s.types[name]
}

func (s *source) parse(file string) {
	if file == "" || s.read[file] {
		return
	}
	s.read[file] = true
	tree, err := parser.ParseFile(token.NewFileSet(), filepath.Join(s.dir, file), nil, parser.SkipObjectResolution)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		panic(fmt.Sprintf("read the SDK of pulumi-aws: %v", err))
	}
	for _, declaration := range tree.Decls {
		if general, ok := declaration.(*ast.GenDecl); ok {
			for _, spec := range general.Specs {
				if named, ok := spec.(*ast.TypeSpec); ok {
					s.types[named.Name.Name] = named.Type
				}
			}
		}
	}
}

// shape is a type in a package of the SDK.
type shape struct {
	in   *source
	expr ast.Expr
}

// plain is the shape without pointers and names; what comes from other packages can be anything.
func (s shape) plain() shape {
	switch e := s.expr.(type) {
	case *ast.StarExpr:
		return shape{s.in, e.X}.plain()
	case *ast.Ident:
		if found := s.in.find(e.Name, ""); found != nil {
			return shape{s.in, found}.plain()
		}
	}
	return s
}

// basic is the name of a type of the language, such as string.
func (s shape) basic() string {
	if e, ok := s.expr.(*ast.Ident); ok {
		return e.Name
	}
	return ""
}

// required inputs are plain in the SDK; lists, maps and unions do not tell.
func (s shape) required() bool {
	switch s.expr.(type) {
	case *ast.Ident:
		return s.basic() != "any"
	}
	return false
}

// fields are the properties of a structure by name.
func (s shape) fields() map[string]shape {
	found := map[string]shape{}
	structure, ok := s.plain().expr.(*ast.StructType)
	if !ok {
		return found
	}
	for _, field := range structure.Fields.List {
		if field.Tag == nil {
			continue
		}
		if tag, err := strconv.Unquote(field.Tag.Value); err == nil {
			if name, ok := reflect.StructTag(tag).Lookup("pulumi"); ok {
				found[name] = shape{s.in, field.Type}
			}
		}
	}
	return found
}

// schema returns the inputs of a type, and all of its properties. The token says where they are.
func schema(token string) (inputs, state shape, known bool) {
	if token == "pulumi:providers:aws" {
		provider := sourceOf("")
		found := shape{provider, provider.find("providerArgs", "provider.go")}
		return found, found, true
	}
	parts := strings.FieldsFunc(token, func(r rune) bool { return r == ':' || r == '/' })
	if len(parts) != 4 || parts[0] != "aws" {
		return inputs, state, false
	}
	in, file := sourceOf(parts[1]), parts[2]+".go"
	name := string(unicode.ToLower(rune(parts[3][0]))) + parts[3][1:]
	inputs, state = shape{in, in.find(name+"Args", file)}, shape{in, in.find(name+"State", file)}
	return inputs, state, inputs.expr != nil && state.expr != nil
}
