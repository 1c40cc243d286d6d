//go:build !linux

package automation

import (
	"errors"
	"syscall"
)

// engineAttributes keep signals from the terminal away from the engine.
func engineAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// ended tells whether an engine with a process ID has ended.
func ended(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
