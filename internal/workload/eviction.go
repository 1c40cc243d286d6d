package workload

import corev1 "k8s.io/api/core/v1"

// SoonElsewhere has a pod that is the only one of its kind leave a node that has failed within half a minute, not after
// Kubernetes' five.
func SoonElsewhere() []corev1.Toleration {
	var all []corev1.Toleration
	for _, taint := range []string{corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable} {
		all = append(all, corev1.Toleration{
			Key: taint, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: new(int64(30)),
		})
	}
	return all
}
