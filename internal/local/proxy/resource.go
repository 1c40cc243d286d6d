package proxy

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/labels"
)

const (
	// UsageCPU and UsageMemory are annotations of a simulated pod that say what each of its containers uses, as
	// quantities. Without them that is half of what the container requests.
	UsageCPU    = "kwok.x-k8s.io/usage-cpu"
	UsageMemory = "kwok.x-k8s.io/usage-memory"

	// What a node uses for itself.
	systemCPU    = 0.05
	systemMemory = 128 << 20
	// What a simulated container without requests uses.
	idleCPU    = 0.001
	idleMemory = 4 << 20
)

// usage is what a container has used of the processors, in seconds since its start, and what it uses of memory, in bytes.
type usage struct{ cpu, memory float64 }

// counters add up what simulated containers use of the processors.
type counters struct {
	mu  sync.Mutex
	all map[string]counter
}

type counter struct {
	seconds float64
	at      time.Time
}

// count returns the seconds that a container has used so far, when it uses rate of a processor now.
func (c *counters) count(key string, rate float64, started, now time.Time) float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = map[string]counter{}
	}
	last, counted := c.all[key]
	if !counted {
		last.at = started
	}
	last.seconds += rate * max(0, now.Sub(last.at).Seconds())
	last.at = now
	c.all[key] = last
	return last.seconds
}

// nodeAt returns the node with that address, or nil.
func (c *cluster) nodeAt(host string) *corev1.Node {
	nodes, _ := c.nodes.List(labels.Everything()) // listing from memory does not fail
	for _, node := range nodes {
		for _, has := range node.Status.Addresses {
			if has.Address == host {
				return node
			}
		}
	}
	return nil
}

// serveUsage is the part of a kubelet that metrics-server asks. What real processes use is measured, the rest simulated.
func (p *Proxy) serveUsage(w http.ResponseWriter, r *http.Request) {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	node := p.cluster.nodeAt(host)
	if node == nil {
		http.Error(w, "no node has the address "+host, http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	now, processes := time.Now(), p.processes()
	total := usage{
		cpu:    p.used.count(node.Name, systemCPU, node.CreationTimestamp.Time, now),
		memory: systemMemory,
	}
	pods, _ := p.cluster.pods.List(labels.Everything()) // listing from memory does not fail
	for _, pod := range pods {
		if pod.Spec.NodeName != node.Name || pod.Status.Phase != corev1.PodRunning || pod.Status.StartTime == nil {
			continue
		}
		started := pod.Status.StartTime.Time
		for i := range pod.Spec.Containers {
			container := &pod.Spec.Containers[i]
			key := pod.Namespace + "/" + pod.Name + "/" + container.Name
			used, measured := measure(processes[key])
			if !measured {
				rate, memory := simulatedUsage(pod, container)
				used = usage{p.used.count(string(pod.UID)+"/"+container.Name, rate, started, now), memory}
			}
			total.cpu, total.memory = total.cpu+used.cpu, total.memory+used.memory
			of := fmt.Sprintf("{container=%q,namespace=%q,pod=%q}", container.Name, pod.Namespace, pod.Name)
			writeUsage(w, "container", of, used, now)
			fmt.Fprintf(w, "container_start_time_seconds%s %d\n", of, started.Unix())
		}
	}
	writeUsage(w, "node", "", total, now)
}

func writeUsage(w http.ResponseWriter, of, labels string, u usage, now time.Time) {
	fmt.Fprintf(w, "%s_cpu_usage_seconds_total%s %f %d\n", of, labels, u.cpu, now.UnixMilli())
	fmt.Fprintf(w, "%s_memory_working_set_bytes%s %.0f %d\n", of, labels, u.memory, now.UnixMilli())
}

// simulatedUsage is what a simulated container uses of the processors at a time, and of memory.
func simulatedUsage(pod *corev1.Pod, container *corev1.Container) (cpu, memory float64) {
	annotated := func(annotation string, otherwise float64) float64 {
		if quantity, err := resource.ParseQuantity(pod.Annotations[annotation]); err == nil {
			return quantity.AsApproximateFloat64()
		}
		return otherwise
	}
	requests := container.Resources.Requests
	return annotated(UsageCPU, max(idleCPU, requests.Cpu().AsApproximateFloat64()/2)),
		annotated(UsageMemory, max(idleMemory, requests.Memory().AsApproximateFloat64()/2))
}

// processes are those that stand for containers, by namespace, pod and container.
func (p *Proxy) processes() map[string]int {
	all := map[string]int{}
	for _, pod := range p.node.Pods() {
		all[pod.Namespace+"/"+pod.Name+"/"+pod.Container] = pod.PID
	}
	return all
}

// ticks is how many of its clock's ticks Linux counts a second as, wherever Go runs.
const ticks = 100

// measure asks Linux what a process uses. It reports false where there is no such process, or another system.
func measure(pid int) (usage, bool) {
	if pid == 0 {
		return usage{}, false
	}
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return usage{}, false
	}
	// The second field is the name in parentheses, which may hold anything; the third is the state.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 22 {
		return usage{}, false
	}
	number := func(field int) float64 { // as proc(5) counts them
		value, _ := strconv.ParseFloat(fields[field-3], 64)
		return value
	}
	return usage{cpu: (number(14) + number(15)) / ticks, memory: number(24) * float64(os.Getpagesize())}, true
}
