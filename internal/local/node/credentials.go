package node

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// tokenPath is where programs look for their service account's token.
const tokenPath = "/var/run/secrets/kubernetes.io/serviceaccount"

// credentials returns the path of a kubeconfig with the container's own service account, or nothing if the container
// has no token mounted: a pod that opts out of the token is not given another one.
func (c *container) credentials() (string, error) {
	for _, mount := range c.spec.VolumeMounts {
		if strings.TrimSuffix(mount.MountPath, "/") != tokenPath {
			continue
		}
		for _, volume := range c.pod.spec.Volumes {
			if volume.Name != mount.Name || volume.Projected == nil {
				continue
			}
			for _, source := range volume.Projected.Sources {
				if source.ServiceAccountToken != nil {
					return c.pod.writeKubeconfig(c.spec.Name, volume.Name, source.ServiceAccountToken.Path)
				}
			}
		}
	}
	return "", nil
}

// writeKubeconfig refers to the token's file instead of holding the token, so that the next one is noticed.
func (p *pod) writeKubeconfig(container, volume, tokenFile string) (string, error) {
	dir := p.volumes.path(volume)
	cluster := &clientcmdapi.Cluster{Server: p.node.REST.Host}
	authority := filepath.Join(dir, "ca.crt")
	if _, err := os.Stat(authority); err == nil {
		cluster.CertificateAuthority = authority
	} else {
		admin := rest.CopyConfig(p.node.REST)
		if err := rest.LoadTLSFiles(admin); err != nil {
			return "", fmt.Errorf("certificate authority of the API server: %w", err)
		}
		cluster.CertificateAuthorityData = admin.CAData
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["local"] = cluster
	config.AuthInfos["pod"] = &clientcmdapi.AuthInfo{TokenFile: filepath.Join(dir, tokenFile)}
	config.Contexts["local"] = &clientcmdapi.Context{Cluster: "local", AuthInfo: "pod", Namespace: p.key.Namespace}
	config.CurrentContext = "local"
	path := filepath.Join(p.dir, container+".kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		return "", fmt.Errorf("kubeconfig: %w", err)
	}
	return path, nil
}
