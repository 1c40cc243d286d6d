package tools

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	lockFile = "lock"
	lockPoll = 100 * time.Millisecond
	patience = 2 * time.Second // less than this is not worth a line to the user
)

// lock waits until no other process, and no other goroutine of this one, builds, and returns what ends that. The
// system ends it too when the process dies. Whoever waits is told who holds it and why.
func (b *builder) lock(ctx context.Context, purpose string) (unlock func(), err error) {
	if err := os.MkdirAll(b.cache, 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(b.cache, lockFile), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	told, start := false, time.Now()
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			break
		}
		if err != syscall.EWOULDBLOCK && err != syscall.EINTR {
			file.Close()
			return nil, fmt.Errorf("lock %s: %w", file.Name(), err)
		}
		if !told && time.Since(start) > patience {
			told = true
			fmt.Fprintf(b.progress, "waiting for another build (%s)\n", holder(file))
		}
		select {
		case <-ctx.Done():
			defer file.Close()
			return nil, fmt.Errorf("waiting for another build (%s): %w", holder(file), context.Cause(ctx))
		case <-time.After(lockPoll):
		}
	}
	// For whoever waits; what it says has no bearing on the lock.
	_ = file.Truncate(0)
	_, _ = file.WriteAt(fmt.Appendf(nil, "process %d %s", os.Getpid(), purpose), 0)
	return func() { _ = file.Truncate(0); file.Close() }, nil
}

// holder is what the process that has the lock wrote about itself.
func holder(file *os.File) string {
	content, err := io.ReadAll(io.NewSectionReader(file, 0, 200))
	if text := strings.TrimSpace(string(content)); err == nil && text != "" {
		return text
	}
	return "of another process"
}
