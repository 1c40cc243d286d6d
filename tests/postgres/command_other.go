//go:build !linux

package postgres

import (
	"os/exec"
	"syscall"
)

// command runs one of the programs in a process group of its own.
func (s *Server) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(s.programs[program], args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}
