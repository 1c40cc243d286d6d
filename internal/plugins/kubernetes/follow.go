package kubernetes

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"
)

// watched is what to watch: one object, or those of a kind that carry a label.
type watched struct {
	object   *unstructured.Unstructured
	selector string
}

// follow looks, and looks again after every change of what is watched, until look is satisfied or fails, or the time is
// up. Watches end and events get lost on real networks, so there is a slow look in between as well.
func (c *cluster) follow(
	ctx context.Context, targets []watched, bound time.Duration, look func(context.Context) (bool, error),
) error {
	const between = 10 * time.Second
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()

	changed := make(chan struct{}, 1)
	for _, target := range targets {
		if err := c.watch(ctx, target, changed); err != nil {
			return err
		}
	}
	tick := time.NewTicker(between)
	defer tick.Stop()
	for {
		done, err := look(ctx)
		switch {
		case ctx.Err() != nil && !done:
			return ctx.Err()
		case done || err != nil:
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		case <-tick.C:
		}
	}
}

// watch signals every change of a target until ctx ends.
func (c *cluster) watch(ctx context.Context, target watched, changed chan<- struct{}) error {
	mapping, err := c.mapping(target.object.GroupVersionKind())
	if err != nil {
		return err
	}
	informer := dynamicinformer.NewFilteredDynamicInformer(c.dynamic, mapping.Resource, target.object.GetNamespace(), 0,
		cache.Indexers{}, func(options *metav1.ListOptions) {
			options.LabelSelector = target.selector
			if target.selector == "" {
				options.FieldSelector = fields.OneTermEqualSelector("metadata.name", target.object.GetName()).String()
			}
		}).Informer()
	// The informer connects anew by itself; its complaints would land in the middle of the engine's display.
	if err := informer.SetWatchErrorHandlerWithContext(func(context.Context, *cache.Reflector, error) {}); err != nil {
		return err
	}
	signal := func() {
		select {
		case changed <- struct{}{}:
		default: // one is waiting to be seen already
		}
	}
	if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { signal() },
		UpdateFunc: func(any, any) { signal() },
		DeleteFunc: func(any) { signal() },
	}); err != nil {
		return err
	}
	go informer.RunWithContext(ctx)
	go func() {
		// An object that went away before the watch began makes no event.
		if cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
			signal()
		}
	}()
	return nil
}
