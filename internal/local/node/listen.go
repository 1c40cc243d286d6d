package node

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// ports hands out ports of 127.0.0.1 that are free, and none twice: a program needs a moment until it listens.
type ports struct {
	mu    sync.Mutex
	taken map[int]bool
}

func (p *ports) take() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range 100 {
		probe, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return 0, fmt.Errorf("free port: %w", err)
		}
		port := probe.Addr().(*net.TCPAddr).Port
		probe.Close()
		if !p.taken[port] {
			if p.taken == nil {
				p.taken = map[int]bool{}
			}
			p.taken[port] = true
			return port, nil
		}
	}
	return 0, fmt.Errorf("free port: none was found")
}

func (p *ports) release(all []int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, port := range all {
		delete(p.taken, port)
	}
}

// listen moves a program's listeners to free ports of the loopback. It returns the arguments for that, the ports by
// those that the container would have, and what to call when they are not needed any more.
func (i image) listen(args []string, free *ports) (moved []string, byPort map[int]int, release func(), err error) {
	var taken []int
	release = func() { free.release(taken) }
	byPort = map[int]int{}
	moved = slices.Clone(args)
	for _, l := range i.listeners {
		at, port, err := l.find(moved)
		if err != nil {
			release()
			return nil, nil, nil, err
		}
		if port == 0 { // switched off
			continue
		}
		local, err := free.take()
		if err != nil {
			release()
			return nil, nil, nil, err
		}
		taken = append(taken, local)
		byPort[port] = local
		moved = l.move(moved, at, local)
	}
	return moved, byPort, release, nil
}

// find returns the port that the arguments choose, and the position of the argument that does. With several the last
// one wins, as it does for flags; with none the position is -1 and the port the default.
func (l listener) find(args []string) (at, port int, err error) {
	at, port = -1, l.port
	for i, arg := range args {
		value, joined := strings.CutPrefix(arg, l.flag+"=")
		if arg == l.flag && i+1 < len(args) {
			value, joined = args[i+1], true
		}
		if !joined {
			continue
		}
		number := value
		if l.host && value != "0" {
			if _, number, err = net.SplitHostPort(value); err != nil {
				return 0, 0, fmt.Errorf("argument %s: %w", arg, err)
			}
		}
		if port, err = strconv.Atoi(number); err != nil {
			return 0, 0, fmt.Errorf("argument %s: %q is not a port", arg, value)
		}
		at = i
	}
	return at, port, nil
}

// move replaces or adds the argument for the listener's address.
func (l listener) move(args []string, at, port int) []string {
	value := strconv.Itoa(port)
	if l.host {
		value = net.JoinHostPort("127.0.0.1", value)
	}
	switch {
	case at < 0:
		return append(args, l.flag+"="+value)
	case args[at] == l.flag:
		args[at+1] = value
	default:
		args[at] = l.flag + "=" + value
	}
	return args
}
