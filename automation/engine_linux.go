package automation

import "syscall"

// engineAttributes keep signals from the terminal away from the engine, and have it end with this process. The plugins
// and the program are in this process: an engine without them would take what was under way for failed, and forget
// what may exist by now. An engine that is gone as well leaves in the state what was under way.
func engineAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
