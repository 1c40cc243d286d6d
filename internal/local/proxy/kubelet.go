package proxy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// kubeletPort is where the API server looks for a kubelet when a node names no other port.
const kubeletPort = "10250"

// kubeletAt reports whether the address is that of a node's kubelet.
func (c *cluster) kubeletAt(address string) bool {
	host, port, err := net.SplitHostPort(address)
	return err == nil && port == kubeletPort && c.nodeAt(host) != nil
}

// serveLogs is the part of a kubelet behind `kubectl logs`. All containers of a pod write to one log.
func (p *Proxy) serveLogs(w http.ResponseWriter, r *http.Request) {
	namespace, name, container := r.PathValue("namespace"), r.PathValue("pod"), r.PathValue("container")
	path := ""
	for _, pod := range p.node.Pods() {
		if pod.Namespace == namespace && pod.Name == name {
			path = pod.Log
		}
	}
	if path == "" {
		_, _ = io.WriteString(w, "container "+container+" of pod "+name+" is simulated: nothing runs, so it has no log\n")
		return
	}
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return // nothing has started yet
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if lines, err := strconv.Atoi(r.URL.Query().Get("tailLines")); err == nil {
		_, _ = w.Write(lastLines(content, lines))
	} else {
		_, _ = w.Write(content)
	}
	if follow, _ := strconv.ParseBool(r.URL.Query().Get("follow")); follow {
		followLog(r.Context(), w, path, int64(len(content)))
	}
}

func lastLines(content []byte, lines int) []byte {
	all := strings.SplitAfter(strings.TrimSuffix(string(content), "\n"), "\n")
	last := strings.Join(all[max(0, len(all)-lines):], "")
	if last != "" && bytes.HasSuffix(content, []byte("\n")) {
		last += "\n"
	}
	return []byte(last)
}

// followLog writes what is added to the log until the reader has had enough.
func followLog(ctx context.Context, w http.ResponseWriter, path string, from int64) {
	log, err := os.Open(path)
	if err != nil {
		return
	}
	defer log.Close()
	if _, err := log.Seek(from, io.SeekStart); err != nil {
		return
	}
	for ctx.Err() == nil {
		if _, err := io.Copy(w, log); err != nil {
			return
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}
