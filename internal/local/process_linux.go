package local

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// childAttributes ties a child to this process, and keeps signals from the terminal away from it.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// processesOf finds the processes that carry the directory's mark, this one excepted.
func processesOf(l layout) []int {
	environments, _ := filepath.Glob("/proc/[0-9]*/environ")
	mark := []byte(dirVariable + "=" + string(l))
	var found []int
	for _, file := range environments {
		content, err := os.ReadFile(file)
		if err != nil {
			continue // another user's, or gone
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil || pid == os.Getpid() {
			continue
		}
		for _, variable := range bytes.Split(content, []byte{0}) {
			if bytes.Equal(variable, mark) {
				found = append(found, pid)
				break
			}
		}
	}
	return found
}

// killProcessesOf ends what is left of a control plane whose supervisor is gone, and returns how many that were.
func killProcessesOf(l layout) (int, error) {
	killed := map[int]bool{}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		found := processesOf(l)
		if len(found) == 0 {
			return len(killed), nil
		}
		if time.Now().After(deadline) {
			return len(killed), fmt.Errorf("processes %v of the local control plane in %s do not end", found, l)
		}
		for _, pid := range found {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return len(killed), fmt.Errorf("end process %d of the local control plane in %s: %w", pid, l, err)
			}
			killed[pid] = true
		}
	}
}
