package automation

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
)

// Holder is who has locked a stack, as far as the backend says: one of files and one in a bucket do, a service does not.
type Holder struct {
	User, Host string
	PID        int
	Since      time.Time
}

// LockedError says that another operation works on the stack. Nothing was started.
type LockedError struct {
	Stack  string
	Holder Holder
	// Stale says that the holder was a process of this user on this machine that is gone. A stale lock in a backend of
	// files is released unasked, so that it comes up here only with others.
	Stale bool
	Err   error

	file string // the lock itself, in a backend of files
}

func (e *LockedError) Error() string {
	msg := fmt.Sprintf("stack %s is locked: another operation works on it", e.Stack)
	if h := e.Holder; h.PID != 0 {
		msg = fmt.Sprintf("stack %s is locked by %s@%s (pid %d) since %s", e.Stack, h.User, h.Host, h.PID, h.Since.Format(time.RFC3339))
	}
	release := "run `pulumi cancel --stack " + e.Stack + "`"
	if e.file != "" {
		release = "delete " + e.file
	}
	if e.Stale {
		return msg + "; that process is gone, so " + release + " and try again"
	}
	return msg + "; wait for it, for instance with --lock-wait 10m, or, when you know that it is gone, " + release
}

func (e *LockedError) Unwrap() error { return e.Err }

// lockLine is how the engine names a lock of a backend of files or in a bucket.
var lockLine = regexp.MustCompile(`(?m)^\s*(\S+): created by (.+)@(\S+) \(pid (\d+)\) at (\S+)\s*$`)

// lockConflict is err as a LockedError, if it says that the stack is locked, or nil.
func lockConflict(stack string, err error) *LockedError {
	if err == nil {
		return nil
	}
	text := err.Error()
	// A service answers with a conflict, and so do file backends of newer engines, by their words.
	if !auto.IsConcurrentUpdateError(err) && !strings.Contains(text, "the stack is currently locked by") &&
		!strings.Contains(text, "[409] Conflict: Another update is currently in progress") {
		return nil
	}
	e := &LockedError{Stack: stack, Err: shorten(err)}
	found := lockLine.FindStringSubmatch(text)
	if found == nil {
		return e
	}
	e.Holder = Holder{User: found[2], Host: found[3]}
	e.Holder.PID, _ = strconv.Atoi(found[4])               // digits
	e.Holder.Since, _ = time.Parse(time.RFC3339, found[5]) // or never
	if u, err := url.Parse(found[1]); err == nil && u.Scheme == "file" {
		e.file = filepath.FromSlash(u.Path)
	}
	e.Stale = e.Holder.gone()
	return e
}

// gone tells whether the holder was a process of this user on this machine, and has ended. Of any other nothing is known.
func (h Holder) gone() bool {
	host, err := os.Hostname()
	if err != nil || host != h.Host || h.PID <= 0 {
		return false
	}
	if me, err := user.Current(); err != nil || me.Username != h.User {
		return false
	}
	return ended(h.PID)
}

// release removes a stale lock from a backend of files, and tells whether it did.
func (e *LockedError) release() (bool, error) {
	if !e.Stale || e.file == "" {
		return false, nil
	}
	if err := os.Remove(e.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("release the lock of stack %s: %w", e.Stack, err)
	}
	return true, nil
}
