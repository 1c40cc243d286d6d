package postgres

import (
	"os"
	"os/exec"
	"syscall"
)

// unprivileged is a user that every Linux has, by number: PostgreSQL wants to know its name.
const unprivileged = 1 // daemon

// command runs one of the programs in a process group of its own. PostgreSQL refuses to run as root: for root it runs
// in a user namespace, in which root has the number of another user.
func (s *Server) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(s.programs[program], args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: unprivileged, HostID: 0, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: unprivileged, HostID: 0, Size: 1}}
	}
	return cmd
}
