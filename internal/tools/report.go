package tools

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

const (
	heartbeat = 20 * time.Second // between two lines about a build that goes on
	kept      = 40               // lines of the compiler's in the error of a failed build
)

// report tells the user how a build goes, once that takes longer than a moment. It reads what `go build -v` says: a
// line of one word is a package that was compiled, the rest are downloads and complaints.
type report struct {
	out   io.Writer
	doing string // such as "building"
	ended string // such as "built"
	title string
	start time.Time
	timer *time.Timer

	mu       sync.Mutex
	rest     []byte // of a line that has no end yet
	packages int
	messages []string
	said     bool
	done     bool
}

func startReport(out io.Writer, doing, ended, title string) *report {
	r := &report{out: out, doing: doing, ended: ended, title: title, start: time.Now()}
	r.mu.Lock() // until the timer that tick sets anew is there
	defer r.mu.Unlock()
	r.timer = time.AfterFunc(patience, r.tick)
	return r
}

func (r *report) tick() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done {
		return
	}
	switch {
	case !r.said:
		fmt.Fprintf(r.out, "%s %s ...\n", r.doing, r.title)
	case r.packages == 0:
		fmt.Fprintf(r.out, "%s %s ... %s\n", r.doing, r.title, r.elapsed())
	default:
		fmt.Fprintf(r.out, "%s %s ... %s, %d packages compiled\n", r.doing, r.title, r.elapsed(), r.packages)
	}
	r.said = true
	r.timer.Reset(heartbeat)
}

func (r *report) elapsed() time.Duration { return time.Since(r.start).Round(time.Second) }

// Write takes what the go command says.
func (r *report) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rest = append(r.rest, p...)
	for {
		line, rest, found := bytes.Cut(r.rest, []byte("\n"))
		if !found {
			return len(p), nil
		}
		r.rest = rest
		r.line(string(line))
	}
}

func (r *report) line(line string) {
	switch {
	case strings.HasPrefix(line, "go: downloading "):
	case line != "" && !strings.ContainsAny(line, " \t:"):
		r.packages++
	default:
		r.messages = append(r.messages, line)
		r.messages = r.messages[max(0, len(r.messages)-kept):]
	}
}

// finish says how long it took, if the user was told that it began.
func (r *report) finish(ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done = true
	r.timer.Stop()
	if len(r.rest) > 0 {
		r.line(string(r.rest))
	}
	if ok && r.said {
		fmt.Fprintf(r.out, "%s %s in %s\n", r.ended, r.title, r.elapsed())
	}
}

// lastLines is the end of what the compiler complained about.
func (r *report) lastLines() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.messages, "\n")
}
