// Package loadbalancer gives Services of type LoadBalancer an address, as a cloud does. The addresses are of a range
// that is reserved for documentation (192.0.2.0/24, RFC 5737), so that none can be mistaken for one that answers. Whoever
// asks for a load balancer of AWS gets a host name, as there; it ends in .invalid (RFC 2606) for the same reason.
//
// Classes of load balancers are all served: which controller would be responsible is not known here.
package loadbalancer

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
)

var (
	addresses = netip.MustParsePrefix("192.0.2.0/24")

	errNoAddressLeft = errors.New("no address is left in " + addresses.String())
)

// Run starts to give out addresses and returns when it knows those that are taken; it ends with ctx.
func Run(ctx context.Context, config *rest.Config) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("client of the load balancer: %w", err)
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	services := factory.Core().V1().Services()
	b := &balancer{
		client: client,
		lister: services.Lister(),
		queue: workqueue.NewTypedRateLimitingQueue(
			workqueue.NewTypedItemExponentialFailureRateLimiter[cache.ObjectName](50*time.Millisecond, 10*time.Second)),
		taken: map[netip.Addr]cache.ObjectName{},
	}
	handle, err := services.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    b.enqueue,
		UpdateFunc: func(_, current any) { b.enqueue(current) },
		DeleteFunc: b.enqueue,
	})
	if err != nil {
		return fmt.Errorf("watch services: %w", err)
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), handle.HasSynced) {
		return fmt.Errorf("watch services: %w", context.Cause(ctx))
	}
	if err := b.reserveGiven(); err != nil {
		return err
	}
	go b.work(ctx)
	go func() {
		<-ctx.Done()
		b.queue.ShutDown()
	}()
	return nil
}

type balancer struct {
	client kubernetes.Interface
	lister listers.ServiceLister
	queue  workqueue.TypedRateLimitingInterface[cache.ObjectName]

	mu    sync.Mutex
	taken map[netip.Addr]cache.ObjectName
}

func (b *balancer) enqueue(object any) {
	if name, err := cache.DeletionHandlingObjectToName(object); err == nil {
		b.queue.Add(name)
	}
}

func (b *balancer) work(ctx context.Context) {
	for {
		name, stop := b.queue.Get()
		if stop {
			return
		}
		if err := b.reconcile(ctx, name); err != nil {
			b.queue.AddRateLimited(name)
		} else {
			b.queue.Forget(name)
		}
		b.queue.Done(name)
	}
}

// reconcile brings a service's address in line with its type.
func (b *balancer) reconcile(ctx context.Context, name cache.ObjectName) error {
	service, err := b.lister.Services(name.Namespace).Get(name.Name)
	if apierrors.IsNotFound(err) {
		b.free(name)
		return nil
	}
	if err != nil {
		return err
	}
	given := service.Status.LoadBalancer.Ingress
	if service.Spec.Type != corev1.ServiceTypeLoadBalancer {
		b.free(name)
		if len(given) == 0 {
			return nil
		}
		return b.publish(ctx, service, corev1.LoadBalancerStatus{})
	}
	if len(given) > 0 {
		return nil
	}
	ingress := corev1.LoadBalancerIngress{Hostname: name.Name + "." + name.Namespace + ".elb.invalid"}
	if !forAWS(service) {
		address, err := b.take(name)
		if err != nil {
			return err
		}
		ingress = corev1.LoadBalancerIngress{IP: address.String()}
	}
	return b.publish(ctx, service, corev1.LoadBalancerStatus{Ingress: []corev1.LoadBalancerIngress{ingress}})
}

// forAWS tells whether a service asks for a load balancer of AWS: by its class, or by the annotation that came before.
func forAWS(service *corev1.Service) bool {
	if class := service.Spec.LoadBalancerClass; class != nil {
		return *class == "service.k8s.aws/nlb" || *class == "eks.amazonaws.com/nlb"
	}
	return service.Annotations["service.beta.kubernetes.io/aws-load-balancer-type"] != ""
}

func (b *balancer) publish(ctx context.Context, service *corev1.Service, status corev1.LoadBalancerStatus) error {
	service = service.DeepCopy()
	service.Status.LoadBalancer = status
	_, err := b.client.CoreV1().Services(service.Namespace).UpdateStatus(ctx, service, metav1.UpdateOptions{})
	if apierrors.IsNotFound(err) {
		b.free(cache.MetaObjectToName(service))
		return nil
	}
	if err != nil {
		return fmt.Errorf("address of service %s: %w", cache.MetaObjectToName(service), err)
	}
	return nil
}

// take returns the service's address, the first free one when it has none.
func (b *balancer) take(name cache.ObjectName) (netip.Addr, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var free netip.Addr
	for address := addresses.Addr().Next(); addresses.Contains(address.Next()); address = address.Next() {
		owner, taken := b.taken[address]
		if taken && owner == name {
			return address, nil
		}
		if !taken && !free.IsValid() {
			free = address
		}
	}
	if !free.IsValid() {
		return free, errNoAddressLeft
	}
	b.taken[free] = name
	return free, nil
}

func (b *balancer) free(name cache.ObjectName) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for address, owner := range b.taken {
		if owner == name {
			delete(b.taken, address)
		}
	}
}

// reserveGiven keeps the addresses that services have already from being given out again.
func (b *balancer) reserveGiven() error {
	services, err := b.lister.List(labels.Everything())
	if err != nil {
		return fmt.Errorf("list services: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, service := range services {
		for _, given := range service.Status.LoadBalancer.Ingress {
			if address, err := netip.ParseAddr(given.IP); err == nil {
				b.taken[address] = cache.MetaObjectToName(service)
			}
		}
	}
	return nil
}
