//go:build unix && !linux

package local

import "syscall"

// childAttributes keeps signals from the terminal away from a child.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// killProcessesOf finds nothing here: only Linux shows the environment of processes.
func killProcessesOf(layout) (int, error) { return 0, nil }
