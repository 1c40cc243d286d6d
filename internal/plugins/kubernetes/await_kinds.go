package kubernetes

import (
	"context"
	"fmt"
	"reflect"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func nested(obj *unstructured.Unstructured, path ...string) string {
	text, _, _ := unstructured.NestedString(obj.Object, path...)
	return text
}

// condition returns one of the object's conditions.
func condition(obj *unstructured.Unstructured, kind string) (state, reason, message string) {
	conditions, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
	for _, c := range conditions {
		fields, _ := c.(map[string]any)
		if fields["type"] == kind {
			state, _ = fields["status"].(string)
			reason, _ = fields["reason"].(string)
			message, _ = fields["message"].(string)
			return state, reason, message
		}
	}
	return "", "", ""
}

// judgeJob waits for the completion: what depends on a Job depends on what it has done.
func judgeJob(ctx context.Context, c *cluster, job *unstructured.Unstructured) (verdict, error) {
	if state, _, _ := condition(job, "Complete"); state == "True" {
		return verdict{ready: true}, nil
	}
	if state, reason, message := condition(job, "Failed"); state == "True" {
		return verdict{
			failed: true, message: fmt.Sprintf("the Job failed: %s: %s", reason, message),
			reasons: explainPods(ctx, c, job),
		}, nil
	}
	if suspended, _, _ := unstructured.NestedBool(job.Object, "spec", "suspend"); suspended {
		return verdict{ready: true}, nil // it does not run because nobody wants it to, yet
	}
	active, _, _ := unstructured.NestedInt64(job.Object, "status", "active")
	failed, _, _ := unstructured.NestedInt64(job.Object, "status", "failed")
	return verdict{
		message: fmt.Sprintf("waiting for the Job to complete: %d active, %d failed pods", active, failed),
	}, nil
}

func judgeReplicas(_ context.Context, _ *cluster, rc *unstructured.Unstructured) (verdict, error) {
	wanted, found, _ := unstructured.NestedInt64(rc.Object, "spec", "replicas")
	if !found {
		wanted = 1
	}
	ready, _, _ := unstructured.NestedInt64(rc.Object, "status", "readyReplicas")
	seen, _, _ := unstructured.NestedInt64(rc.Object, "status", "observedGeneration")
	return verdict{
		ready:   ready == wanted && seen == rc.GetGeneration(),
		message: fmt.Sprintf("ready: %d of %d", ready, wanted),
	}, nil
}

// judgeClaim waits for a volume, except where one comes only with the first pod: waiting would be for ever.
func judgeClaim(ctx context.Context, c *cluster, claim *unstructured.Unstructured) (verdict, error) {
	phase := nested(claim, "status", "phase")
	if phase == string(corev1.ClaimBound) {
		return verdict{ready: true}, nil
	}
	waits, err := waitsForConsumer(ctx, c, claim)
	if err != nil {
		return verdict{}, err
	}
	return verdict{ready: waits, message: "waiting for the claim to be bound; it is " + phase}, nil
}

func waitsForConsumer(ctx context.Context, c *cluster, claim *unstructured.Unstructured) (bool, error) {
	mapping, err := c.mapping(schema.GroupVersionKind{Group: "storage.k8s.io", Version: "v1", Kind: "StorageClass"})
	if err != nil {
		return false, err
	}
	name := nested(claim, "spec", "storageClassName")
	if name == "" {
		return false, nil // none, or the admission of the default one is still to come
	}
	class, err := c.dynamic.Resource(mapping.Resource).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("storage class of claim %s: %w", idOf(claim), err)
	}
	return nested(class, "volumeBindingMode") == "WaitForFirstConsumer", nil
}

func judgeVolume(_ context.Context, _ *cluster, volume *unstructured.Unstructured) (verdict, error) {
	phase := nested(volume, "status", "phase")
	ready := phase == string(corev1.VolumeAvailable) || phase == string(corev1.VolumeBound)
	return verdict{ready: ready, message: "waiting for the volume; it is " + phase}, nil
}

func judgeQuota(_ context.Context, _ *cluster, quota *unstructured.Unstructured) (verdict, error) {
	wanted, _, _ := unstructured.NestedMap(quota.Object, "spec", "hard")
	counted, _, _ := unstructured.NestedMap(quota.Object, "status", "hard")
	return verdict{
		ready: len(wanted) == 0 || reflect.DeepEqual(wanted, counted), message: "waiting for the quota to be counted",
	}, nil
}

// judgeSecret waits for the token that a controller puts into a Secret for a service account.
func judgeSecret(_ context.Context, _ *cluster, secret *unstructured.Unstructured) (verdict, error) {
	if nested(secret, "type") != string(corev1.SecretTypeServiceAccountToken) {
		return verdict{ready: true}, nil
	}
	data, _, _ := unstructured.NestedMap(secret.Object, "data")
	return verdict{ready: len(data) > 0, message: "waiting for the service account's token"}, nil
}

// judgeDefinition waits until custom resources can be made.
func judgeDefinition(_ context.Context, _ *cluster, crd *unstructured.Unstructured) (verdict, error) {
	if state, reason, message := condition(crd, "NamesAccepted"); state == "False" {
		return verdict{failed: true, message: fmt.Sprintf("its names were not accepted: %s: %s", reason, message)}, nil
	}
	state, _, _ := condition(crd, "Established")
	return verdict{ready: state == "True", message: "waiting for the definition to be established"}, nil
}
