// Package docs reads the project's documentation, so that tests can follow its links and look at its commands.
package docs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// Page is a page of Markdown.
type Page struct {
	// Path is the file's, from the project's root.
	Path string
	// Anchors are what links can lead to in it.
	Anchors map[string]bool
	Links   []Link
	Blocks  []Block
	// Spans are what stands in the text as code.
	Spans []string
}

// Link leads somewhere.
type Link struct {
	Line int
	To   string
}

// Block is a block of code.
type Block struct {
	Line int
	// Language is what the block says that it is in; nothing for an indented one.
	Language, Text string
}

// Pages are all pages below the root.
func Pages(root string) ([]Page, error) {
	var pages []Page
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") && path != root || entry.Name() == "testdata" || entry.Name() == "bin"):
			return filepath.SkipDir
		case filepath.Ext(path) != ".md" || filepath.Base(filepath.Dir(path)) == "docs" && filepath.Base(filepath.Dir(filepath.Dir(path))) == "cmd":
			// Those beside the generator are parts of pages, which are written elsewhere.
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		below, err := filepath.Rel(root, path)
		pages = append(pages, parse(filepath.ToSlash(below), content))
		return err
	})
	return pages, err
}

func parse(path string, content []byte) Page {
	p := Page{Path: path, Anchors: map[string]bool{}}
	line := func(n ast.Node) int {
		for ; n != nil; n = n.Parent() {
			if n.Type() == ast.TypeBlock && n.Lines().Len() > 0 {
				return strings.Count(string(content[:n.Lines().At(0).Start]), "\n") + 1
			}
		}
		return 0
	}
	root := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(content))
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // the function returns no error
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			p.addAnchor(plain(n, content))
		case *ast.Link:
			p.Links = append(p.Links, Link{line(n), string(n.Destination)})
		case *ast.Image:
			p.Links = append(p.Links, Link{line(n), string(n.Destination)})
		case *ast.CodeSpan:
			p.Spans = append(p.Spans, strings.ReplaceAll(plain(n, content), "\n", " "))
		case *ast.FencedCodeBlock:
			p.Blocks = append(p.Blocks, Block{line(n), string(n.Language(content)), string(n.Lines().Value(content))})
		case *ast.CodeBlock:
			p.Blocks = append(p.Blocks, Block{line(n), "", string(n.Lines().Value(content))})
		}
		return ast.WalkContinue, nil
	})
	return p
}

// plain is the text of a node without its markup.
func plain(n ast.Node, content []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if t, ok := n.(*ast.Text); ok && entering {
			b.Write(t.Segment.Value(content))
			if t.SoftLineBreak() {
				b.WriteByte('\n')
			}
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

var noAnchor = regexp.MustCompile(`[^\p{L}\p{N}_\- ]`)

// addAnchor adds that of a heading, as GitHub makes it.
func (p *Page) addAnchor(heading string) {
	anchor := strings.ReplaceAll(noAnchor.ReplaceAllString(strings.ToLower(heading), ""), " ", "-")
	for i := 1; p.Anchors[anchor]; i++ {
		if next := fmt.Sprintf("%s-%d", anchor, i); !p.Anchors[next] {
			anchor = next
		}
	}
	p.Anchors[anchor] = true
}

// Shell tells whether the block holds commands.
func (b Block) Shell() bool {
	return b.Language == "sh" || b.Language == "bash" || b.Language == "console"
}

// Commands are the commands of a block, each on one line, without comments.
func (b Block) Commands() (commands []string) {
	joined := strings.ReplaceAll(b.Text, "\\\n", " ")
	for line := range strings.Lines(joined) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			commands = append(commands, line)
		}
	}
	return commands
}
