package node

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ending is why a pod's processes have to end.
type ending int

const (
	none    ending = iota
	deleted        // somebody deletes the pod: its processes get their grace period, and it is our turn to remove it
	lost           // the pod, or its machine, is gone
)

// pod runs one pod, from its volumes to its removal.
type pod struct {
	node     *Node
	key      podKey
	spec     corev1.PodSpec
	ip       string
	finished bool          // by somebody else, such as an eviction, before we saw the pod
	dir      string        // of its volumes
	log      string        // path of what its containers write
	stale    chan struct{} // an object changed that may be a volume
	dirty    chan struct{} // the status changed
	cancel   context.CancelFunc
	stopping context.Context // ends when the processes have to

	mu         sync.Mutex
	object     *corev1.Pod
	ending     ending
	grace      time.Duration
	volumes    *volumes
	init, main []*container
	mounted    bool // volumes are there
	started    metav1.Time
	conditions map[corev1.PodConditionType]corev1.PodCondition
}

// newPod prepares a worker. The caller holds the node's lock.
func (n *Node) newPod(key podKey, object *corev1.Pod) *pod {
	p := &pod{
		node: n, key: key, object: object,
		spec:       object.Spec,
		finished:   object.Status.Phase == corev1.PodSucceeded || object.Status.Phase == corev1.PodFailed,
		ip:         n.nextIP(),
		dir:        filepath.Join(n.Dir, "pods", string(key.uid)),
		log:        filepath.Join(n.Dir, "pods", key.Namespace+"_"+key.Name+".log"),
		stale:      make(chan struct{}, 1),
		dirty:      make(chan struct{}, 1),
		started:    metav1.Now(),
		conditions: map[corev1.PodConditionType]corev1.PodCondition{},
	}
	p.stopping, p.cancel = context.WithCancel(context.Background())
	p.volumes = newVolumes(p)
	for _, spec := range object.Spec.InitContainers {
		p.init = append(p.init, newContainer(p, spec))
	}
	for _, spec := range object.Spec.Containers {
		p.main = append(p.main, newContainer(p, spec))
	}
	return p
}

func notify(channel chan struct{}) {
	select {
	case channel <- struct{}{}:
	default: // it knows already
	}
}

// update hands over a newer version of the pod.
func (p *pod) update(object *corev1.Pod) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.object = object
	notify(p.stale) // labels and annotations can be volumes
	if len(p.spec.ReadinessGates) > 0 {
		notify(p.dirty)
	}
}

func (p *pod) current() *corev1.Pod {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.object
}

// end makes the processes end, at the latest after the grace period. A later call can only shorten it.
func (p *pod) end(why ending, grace time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ending == none || grace < p.grace {
		p.grace = grace
	}
	p.ending = max(p.ending, why)
	p.cancel()
	if p.grace == 0 {
		for _, c := range p.containers() {
			c.kill()
		}
	}
}

func (p *pod) containers() []*container {
	return append(append([]*container{}, p.init...), p.main...)
}

// run lives as long as the pod does.
func (p *pod) run(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { p.end(lost, 0) })
	defer stop()
	var background sync.WaitGroup
	reporting, stopReporting := context.WithCancel(ctx)
	if p.finished {
		<-p.stopping.Done()
		stopReporting()
		p.remove(ctx)
		return
	}
	background.Go(func() { p.report(reporting) })
	if p.mount() {
		background.Go(p.remount)
		p.runContainers()
		<-p.stopping.Done()
	}
	stopReporting()
	background.Wait()
	p.remove(ctx)
}

// mount waits until all volumes are there; it returns false when the pod ends before.
func (p *pod) mount() bool {
	var told string
	for {
		_, err := p.volumes.write(p.stopping)
		if err == nil {
			break
		}
		if p.stopping.Err() == nil && err.Error() != told {
			told = err.Error()
			p.node.events.Event(p.current(), corev1.EventTypeWarning, "FailedMount", told)
		}
		select {
		case <-p.stopping.Done():
			return false
		case <-p.stale:
		case <-time.After(2 * time.Second):
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mounted = true
	return true
}

// remount keeps volumes as the objects are that they come from, and tokens valid.
func (p *pod) remount() {
	var renew time.Duration
	for {
		next, err := p.volumes.write(p.stopping)
		switch {
		case p.stopping.Err() != nil:
			return
		case err != nil:
			p.node.logf("pod %s: volumes: %v", p.key, err)
			renew = 10 * time.Second
		default:
			renew = time.Until(next)
		}
		select {
		case <-p.stopping.Done():
			return
		case <-p.stale:
		case <-time.After(renew):
		}
	}
}

// runContainers returns when none of the containers will ever run again.
func (p *pod) runContainers() {
	var all sync.WaitGroup
	defer all.Wait()
	for _, c := range p.init {
		if c.sidecar() {
			all.Go(func() { c.run(corev1.RestartPolicyAlways) })
			continue
		}
		policy := p.spec.RestartPolicy
		if policy == corev1.RestartPolicyAlways {
			policy = corev1.RestartPolicyOnFailure
		}
		if !c.run(policy) {
			return
		}
	}
	for _, c := range p.main {
		all.Go(func() { c.run(p.spec.RestartPolicy) })
	}
}

// remove deletes what is left: the files, and the pod itself if somebody waits for that.
func (p *pod) remove(ctx context.Context) {
	if err := os.RemoveAll(p.dir); err != nil {
		p.node.logf("pod %s: remove volumes: %v", p.key, err)
	}
	p.mu.Lock()
	why := p.ending
	p.mu.Unlock()
	for why == deleted && ctx.Err() == nil {
		if err := p.writeStatus(ctx); err != nil && !apierrors.IsNotFound(err) {
			p.node.logf("pod %s: last status: %v", p.key, err)
		}
		err := p.node.client.CoreV1().Pods(p.key.Namespace).Delete(ctx, p.key.Name, metav1.DeleteOptions{
			GracePeriodSeconds: new(int64),
			Preconditions:      metav1.NewUIDPreconditions(string(p.key.uid)),
		})
		if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
			return
		}
		p.node.logf("pod %s: remove: %v", p.key, err)
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// endpoint returns where a process of the pod listens for a port.
func (p *pod) endpoint(port int) (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.containers() {
		if local, listens := c.ports[port]; listens {
			return net.JoinHostPort("127.0.0.1", strconv.Itoa(local)), true
		}
	}
	return "", false
}

func (p *pod) describe() []Pod {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []Pod
	for _, c := range p.main {
		described := Pod{
			Namespace: p.key.Namespace, Name: p.key.Name, Container: c.spec.Name, Node: p.spec.NodeName, Image: c.spec.Image,
			Restarts: c.restarts, Ready: c.ready, Log: p.log, Ports: c.ports,
		}
		if c.command != nil {
			described.PID = c.command.Process.Pid
		}
		all = append(all, described)
	}
	return all
}

// openLog opens the file that all containers of the pod write to.
func (p *pod) openLog() (*os.File, error) {
	file, err := os.OpenFile(p.log, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	return file, nil
}
