package automation

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// engineAttributes keep signals from the terminal away from the engine, and have it end with this process. The plugins
// and the program are in this process: an engine without them would take what was under way for failed, and forget
// what may exist by now. An engine that is gone as well leaves in the state what was under way.
func engineAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// ended tells whether an engine with a process ID has ended. One that nobody has waited for is gone as well, and so is
// one whose number another program has by now.
func ended(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return errors.Is(err, fs.ErrNotExist) && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
	}
	// The name, which may have anything in it, is in parentheses, and the state after it.
	end := bytes.LastIndexByte(stat, ')')
	name, rest := string(stat[:max(end, 0)]), strings.Fields(string(stat[max(end, 0):]))
	return !strings.Contains(name, "pulumi") || len(rest) > 1 && (rest[1] == "Z" || rest[1] == "X")
}
