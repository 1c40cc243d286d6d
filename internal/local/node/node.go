package node

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
)

// podRange is where real pods have their addresses: apart from those of simulated ones.
var podRange = netip.MustParsePrefix("10.200.0.0/16")

// Config says how pods run.
type Config struct {
	// REST is an administrator's access to the API server.
	REST *rest.Config
	// Dir is the control plane's directory; logs and volumes are in its subdirectory pods.
	Dir string
	// Programs holds the paths of the tools that Programs names.
	Programs map[string]string
	// HTTPProxy is the URL of the proxy by which processes reach services and, in this closed world, nothing else.
	HTTPProxy string
	// Env is added to the environment of every process.
	Env []string
	// Start starts a process so that it ends with this one. Default: (*exec.Cmd).Start.
	Start func(*exec.Cmd) error
	// Log receives a line for what an operator would want to know. Default: nothing is written.
	Log io.Writer
}

// Node runs the pods of known images.
type Node struct {
	Config
	client   kubernetes.Interface
	pods     listers.PodLister
	secrets  listers.SecretLister
	configs  listers.ConfigMapLister
	nodes    listers.NodeLister
	claims   listers.PersistentVolumeClaimLister
	queue    workqueue.TypedRateLimitingInterface[podKey]
	events   record.EventRecorder
	ports    ports
	running  sync.WaitGroup
	finished chan struct{}

	mu      sync.Mutex
	workers map[types.UID]*pod
	lastIP  netip.Addr
}

// podKey tells a pod from its namesakes, such as the next pod of a StatefulSet.
type podKey struct {
	cache.ObjectName
	uid types.UID
}

// Run starts to run pods and returns when it knows those that exist. It ends with ctx, and the processes with it.
func Run(ctx context.Context, c Config) (*Node, error) {
	client, err := kubernetes.NewForConfig(c.REST)
	if err != nil {
		return nil, fmt.Errorf("client of the node: %w", err)
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	if c.Start == nil {
		c.Start = (*exec.Cmd).Start
	}
	if err := os.MkdirAll(filepath.Join(c.Dir, "pods"), 0o700); err != nil {
		return nil, fmt.Errorf("directory of the pods: %w", err)
	}
	n := &Node{
		Config: c,
		client: client,
		queue: workqueue.NewTypedRateLimitingQueue(
			workqueue.NewTypedItemExponentialFailureRateLimiter[podKey](50*time.Millisecond, 5*time.Second)),
		workers:  map[types.UID]*pod{},
		lastIP:   podRange.Addr(),
		finished: make(chan struct{}),
	}
	n.record(ctx)
	if err := n.watch(ctx); err != nil {
		return nil, err
	}
	n.running.Go(func() { n.work(ctx) })
	go func() {
		<-ctx.Done()
		n.queue.ShutDown()
		n.running.Wait()
		close(n.finished)
	}()
	return n, nil
}

// Done is closed when the context of Run has ended and so have all processes.
func (n *Node) Done() <-chan struct{} { return n.finished }

// record makes what happens to pods visible as events, by the name of who reports them.
func (n *Node) record(ctx context.Context) {
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: n.client.CoreV1().Events("")})
	n.events = broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "local-node"})
	go func() {
		<-ctx.Done()
		broadcaster.Shutdown()
	}()
}

func (n *Node) watch(ctx context.Context) error {
	factory := informers.NewSharedInformerFactory(n.client, 0)
	core := factory.Core().V1()
	n.pods, n.secrets, n.configs = core.Pods().Lister(), core.Secrets().Lister(), core.ConfigMaps().Lister()
	n.nodes, n.claims = core.Nodes().Lister(), core.PersistentVolumeClaims().Lister()
	handlers := map[cache.SharedIndexInformer]cache.ResourceEventHandler{
		core.Pods().Informer(): cache.ResourceEventHandlerFuncs{
			AddFunc:    n.enqueue,
			UpdateFunc: func(_, current any) { n.enqueue(current) },
			DeleteFunc: n.enqueue,
		},
		core.Secrets().Informer():                changed(n.refresh),
		core.ConfigMaps().Informer():             changed(n.refresh),
		core.PersistentVolumeClaims().Informer(): changed(n.refresh),
		core.Nodes().Informer():                  cache.ResourceEventHandlerFuncs{DeleteFunc: n.nodeGone},
	}
	var synced []cache.InformerSynced
	for informer, handler := range handlers {
		handle, err := informer.AddEventHandler(handler)
		if err != nil {
			return fmt.Errorf("watch for the node: %w", err)
		}
		synced = append(synced, handle.HasSynced)
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), synced...) {
		return fmt.Errorf("watch for the node: %w", context.Cause(ctx))
	}
	return nil
}

func changed(call func(object any)) cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{AddFunc: call, UpdateFunc: func(_, current any) { call(current) }}
}

func (n *Node) enqueue(object any) {
	if tombstone, gone := object.(cache.DeletedFinalStateUnknown); gone {
		object = tombstone.Obj
	}
	if pod, ok := object.(*corev1.Pod); ok && IsReal(&pod.Spec) {
		n.queue.Add(podKey{cache.MetaObjectToName(pod), pod.UID})
	}
}

// refresh makes the pods of an object's namespace look whether they have it as a volume.
func (n *Node) refresh(object any) {
	n.each(object, func(worker *pod, changed cache.ObjectName) {
		if worker.key.Namespace == changed.Namespace {
			notify(worker.stale)
		}
	})
}

// nodeGone ends the processes on a machine that is no more. Their pods stay until the garbage collector finds them.
func (n *Node) nodeGone(object any) {
	n.each(object, func(worker *pod, gone cache.ObjectName) {
		if worker.spec.NodeName == gone.Name {
			worker.end(lost, 0)
		}
	})
}

// each calls for every pod, with the name of the object that something happened to.
func (n *Node) each(object any, call func(*pod, cache.ObjectName)) {
	name, err := cache.DeletionHandlingObjectToName(object)
	if err != nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, worker := range n.workers {
		call(worker, name)
	}
}

func (n *Node) work(ctx context.Context) {
	for {
		key, stop := n.queue.Get()
		if stop {
			return
		}
		if err := n.reconcile(ctx, key); err != nil {
			n.logf("pod %s: %v", key, err)
			n.queue.AddRateLimited(key)
		} else {
			n.queue.Forget(key)
		}
		n.queue.Done(key)
	}
}

// reconcile starts, informs or ends the worker of a pod.
func (n *Node) reconcile(ctx context.Context, key podKey) error {
	object, err := n.pods.Pods(key.Namespace).Get(key.Name)
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	worker := n.workers[key.uid]
	if err != nil || object.UID != key.uid {
		if worker != nil {
			worker.end(lost, 0)
			delete(n.workers, key.uid)
		}
		return nil
	}
	if object.Spec.NodeName == "" || ctx.Err() != nil {
		return nil
	}
	if worker == nil {
		worker = n.newPod(key, object)
		n.workers[key.uid] = worker
		n.running.Go(func() { worker.run(ctx) })
	}
	if object.DeletionTimestamp != nil {
		var grace time.Duration
		if object.DeletionGracePeriodSeconds != nil {
			grace = time.Duration(*object.DeletionGracePeriodSeconds) * time.Second
		}
		worker.end(deleted, grace)
	}
	worker.update(object)
	return nil
}

// nextIP returns an address that no pod has. The caller holds the lock.
func (n *Node) nextIP() string {
	taken := map[string]bool{}
	for _, worker := range n.workers {
		taken[worker.ip] = true
	}
	for {
		n.lastIP = n.lastIP.Next()
		if !podRange.Contains(n.lastIP.Next()) { // the last one is the broadcast address
			n.lastIP = podRange.Addr().Next()
		}
		if !taken[n.lastIP.String()] {
			return n.lastIP.String()
		}
	}
}

// Endpoint returns where the process that stands for a pod's address listens for a container's port. It reports
// false when the address is not that of a real pod, or nothing runs that listens on the port.
func (n *Node) Endpoint(podIP string, port int) (string, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, worker := range n.workers {
		if worker.ip == podIP {
			return worker.endpoint(port)
		}
	}
	return "", false
}

// Owns reports whether the address is one of a real pod, running or not.
func (n *Node) Owns(podIP string) bool {
	address, err := netip.ParseAddr(podIP)
	return err == nil && podRange.Contains(address)
}

// Pods describes the processes, in the order of their names.
func (n *Node) Pods() []Pod {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := []Pod{}
	for _, worker := range n.workers {
		all = append(all, worker.describe()...)
	}
	slices.SortFunc(all, func(a, b Pod) int {
		return strings.Compare(a.Namespace+"/"+a.Name+"/"+a.Container, b.Namespace+"/"+b.Name+"/"+b.Container)
	})
	return all
}

// Pod describes a container of a real pod, for those who want to look at its process.
type Pod struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Container string `json:"container"`
	Node      string `json:"node"`
	Image     string `json:"image"`
	PID       int    `json:"pid,omitempty"` // absent while nothing runs
	Restarts  int32  `json:"restarts"`
	Ready     bool   `json:"ready"`
	Log       string `json:"log"` // path of its output
	// Ports are the ports of 127.0.0.1 by the container's own.
	Ports map[int]int `json:"ports,omitempty"`
}

func (n *Node) logf(format string, args ...any) {
	fmt.Fprintf(n.Log, format+"\n", args...)
}
