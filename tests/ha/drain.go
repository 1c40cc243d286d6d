package ha

import (
	"context"
	"fmt"
	"io"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/kubectl/pkg/drain"
)

// retry is how soon an eviction that a budget refused is tried again. Kubectl waits five seconds.
const retry = 200 * time.Millisecond

// Drain does what `kubectl drain --ignore-daemonsets --delete-emptydir-data` does: no new pods come to the node, and its own
// are evicted, each as soon as its budget allows. It returns when they are gone, or when ctx ends.
func Drain(ctx context.Context, client kubernetes.Interface, name string) error {
	helper := newHelper(ctx, client)
	if err := cordon(helper, name, true); err != nil {
		return fmt.Errorf("drain node %s: %w", name, err)
	}
	if err := drain.RunNodeDrain(helper, name); err != nil {
		return fmt.Errorf("drain node %s: %w", name, err)
	}
	return nil
}

// Uncordon lets pods come to the node again.
func Uncordon(ctx context.Context, client kubernetes.Interface, name string) error {
	if err := cordon(newHelper(ctx, client), name, false); err != nil {
		return fmt.Errorf("uncordon node %s: %w", name, err)
	}
	return nil
}

func newHelper(ctx context.Context, client kubernetes.Interface) *drain.Helper {
	helper := &drain.Helper{
		Ctx: ctx, Client: client,
		GracePeriodSeconds: -1, IgnoreAllDaemonSets: true, DeleteEmptyDirData: true, EvictErrorRetryDelay: retry,
		Out: io.Discard, ErrOut: io.Discard,
	}
	if deadline, limited := ctx.Deadline(); limited {
		helper.Timeout = time.Until(deadline)
	}
	return helper
}

func cordon(helper *drain.Helper, name string, desired bool) error {
	node, err := helper.Client.CoreV1().Nodes().Get(helper.Ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	return drain.RunCordonOrUncordon(helper, node, desired)
}
