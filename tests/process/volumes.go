package process

import (
	"fmt"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
)

// file is one of a volume's: its path in the volume and where its content comes from.
type file struct {
	path, content string
	mode          os.FileMode
}

// mountPoints tells where each mount of the container is on this machine, without writing anything.
func (c *Container) mountPoints() ([]mount, error) {
	var all []mount
	for _, m := range c.Spec.VolumeMounts {
		volume, err := c.volume(m.Name)
		if err != nil {
			return nil, err
		}
		all = append(all, mount{m.MountPath, filepath.Join(c.volumeDir(volume), m.SubPath)})
	}
	return all, nil
}

// volume finds a volume of the pod, or the claim of a StatefulSet's template.
func (c *Container) volume(name string) (corev1.Volume, error) {
	for _, v := range c.pod.Volumes {
		if v.Name == name {
			return v, nil
		}
	}
	for _, claim := range c.claims {
		if claim == name {
			return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
				PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name + "-" + c.PodName},
			}}, nil
		}
	}
	return corev1.Volume{}, fmt.Errorf("container %s mounts volume %s, which the pod does not have", c.Spec.Name, name)
}

// volumeDir is where a volume lies. The containers of a pod share what they write to; what is mounted from Secrets and
// ConfigMaps is the container's own, because its text is rewritten for it.
func (c *Container) volumeDir(v corev1.Volume) string {
	switch {
	case v.EmptyDir != nil:
		return filepath.Join(c.Dir, "scratch", v.Name)
	case v.PersistentVolumeClaim != nil:
		return filepath.Join(c.Dir, "claims", v.PersistentVolumeClaim.ClaimName)
	}
	return filepath.Join(c.Dir, "mounted", c.Spec.Name, v.Name)
}

// populate writes every volume of the container.
func (c *Container) populate(r *rewriter) error {
	for _, m := range c.Spec.VolumeMounts {
		v, err := c.volume(m.Name)
		if err != nil {
			return err
		}
		dir := c.volumeDir(v)
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(m.SubPath)), 0o755); err != nil {
			return err
		}
		if v.EmptyDir != nil || v.PersistentVolumeClaim != nil {
			if err := os.MkdirAll(filepath.Join(dir, m.SubPath), 0o755); err != nil {
				return err
			}
			continue
		}
		files, err := c.files(v)
		if err != nil {
			return fmt.Errorf("volume %s: %w", v.Name, err)
		}
		for n, f := range files {
			files[n].content = r.rewrite(f.content)
		}
		if v.Projected != nil {
			err = publish(dir, files)
		} else {
			err = writeAll(dir, files)
		}
		if err != nil {
			return fmt.Errorf("volume %s: %w", v.Name, err)
		}
	}
	return nil
}

func writeAll(dir string, files []file) error {
	for _, f := range files {
		if err := write(filepath.Join(dir, f.path), f.content, f.mode); err != nil {
			return err
		}
	}
	return nil
}

// write replaces a file in one step, as a kubelet does: a process never reads half of it.
func write(path, content string, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	next := path + ".next"
	if err := os.WriteFile(next, []byte(content), mode); err != nil {
		return err
	}
	return os.Rename(next, path)
}

// files are the contents of a volume that is made of Secrets and ConfigMaps.
func (c *Container) files(v corev1.Volume) ([]file, error) {
	switch {
	case v.Secret != nil:
		return c.keys("Secret", v.Secret.SecretName, v.Secret.Items, v.Secret.Optional, v.Secret.DefaultMode)
	case v.ConfigMap != nil:
		return c.keys("ConfigMap", v.ConfigMap.Name, v.ConfigMap.Items, v.ConfigMap.Optional, v.ConfigMap.DefaultMode)
	case v.Projected != nil:
		var all []file
		for _, source := range v.Projected.Sources {
			var files []file
			var err error
			switch {
			case source.Secret != nil:
				files, err = c.keys("Secret", source.Secret.Name, source.Secret.Items, source.Secret.Optional, v.Projected.DefaultMode)
			case source.ConfigMap != nil:
				files, err = c.keys("ConfigMap", source.ConfigMap.Name, source.ConfigMap.Items, source.ConfigMap.Optional, v.Projected.DefaultMode)
			default:
				err = fmt.Errorf("a projected source that is not simulated here")
			}
			if err != nil {
				return nil, err
			}
			all = append(all, files...)
		}
		return all, nil
	}
	return nil, fmt.Errorf("a kind of volume that is not simulated here")
}

// keys are the files of a Secret or ConfigMap: those of items, or all of them.
func (c *Container) keys(kind, name string, items []corev1.KeyToPath, optional *bool, mode *int32) ([]file, error) {
	data, err := c.data(kind, name, optional)
	if err != nil {
		return nil, err
	}
	permissions := os.FileMode(0o644)
	if mode != nil {
		permissions = os.FileMode(*mode)
	}
	var files []file
	if len(items) == 0 {
		for key, text := range data {
			files = append(files, file{key, text, permissions})
		}
		return files, nil
	}
	for _, item := range items {
		text, found := data[item.Key]
		if !found && optional != nil && *optional {
			continue
		}
		if !found {
			return nil, fmt.Errorf("%s %s has no key %s", kind, name, item.Key)
		}
		files = append(files, file{item.Path, text, permissions})
	}
	return files, nil
}
