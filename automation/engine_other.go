//go:build !linux

package automation

import "syscall"

// engineAttributes keep signals from the terminal away from the engine.
func engineAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
