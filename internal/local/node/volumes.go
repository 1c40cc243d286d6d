package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// never is when volumes without a token have to be written again: when an object changes, and not before.
const never = 24 * time.Hour

// volumes writes a pod's volumes to its directory.
type volumes struct {
	pod    *pod
	tokens map[string]token // by volume and path
}

// token is a service account's, and when to get the next one.
type token struct {
	text  []byte
	renew time.Time
}

func newVolumes(p *pod) *volumes {
	return &volumes{pod: p, tokens: map[string]token{}}
}

// file is one of a volume's.
type file struct {
	content []byte
	mode    os.FileMode
}

// path returns where the volume is.
func (v *volumes) path(name string) string {
	for _, volume := range v.pod.spec.Volumes {
		if claim := volume.PersistentVolumeClaim; volume.Name == name && claim != nil {
			// What a claim holds outlives the pod.
			return filepath.Join(v.pod.node.Dir, "volumes", v.pod.key.Namespace+"_"+claim.ClaimName+"_"+v.claimUID(claim.ClaimName))
		}
	}
	return filepath.Join(v.pod.dir, "volumes", name)
}

func (v *volumes) claimUID(name string) string {
	claim, err := v.pod.node.claims.PersistentVolumeClaims(v.pod.key.Namespace).Get(name)
	if err != nil {
		return "unknown"
	}
	return string(claim.UID)
}

// write brings all volumes up to date, and returns when to do that again even if no object changes. It tells of every
// volume that cannot be written.
func (v *volumes) write(ctx context.Context) (next time.Time, err error) {
	next = time.Now().Add(never)
	if err := os.MkdirAll(filepath.Join(v.pod.dir, "tmp"), 0o700); err != nil {
		return next, err
	}
	var failed []error
	for _, volume := range v.pod.spec.Volumes {
		if err := v.writeOne(ctx, volume, &next); err != nil {
			failed = append(failed, fmt.Errorf("volume %q: %w", volume.Name, err))
		}
	}
	return next, errors.Join(failed...)
}

func (v *volumes) writeOne(ctx context.Context, volume corev1.Volume, next *time.Time) error {
	dir := v.path(volume.Name)
	switch {
	case volume.EmptyDir != nil:
		return os.MkdirAll(dir, 0o700)
	case volume.PersistentVolumeClaim != nil:
		name := volume.PersistentVolumeClaim.ClaimName
		if _, err := v.pod.node.claims.PersistentVolumeClaims(v.pod.key.Namespace).Get(name); err != nil {
			return err
		}
		return os.MkdirAll(dir, 0o700)
	}
	files, err := v.files(ctx, volume, next)
	if err != nil {
		return err
	}
	return writeAtomically(dir, files)
}

// files returns what is in a volume that is made of objects.
func (v *volumes) files(ctx context.Context, volume corev1.Volume, next *time.Time) (map[string]file, error) {
	files := map[string]file{}
	switch {
	case volume.Secret != nil:
		s := volume.Secret
		return files, v.addSecret(files, s.SecretName, s.Items, s.Optional, mode(s.DefaultMode))
	case volume.ConfigMap != nil:
		c := volume.ConfigMap
		return files, v.addConfigMap(files, c.Name, c.Items, c.Optional, mode(c.DefaultMode))
	case volume.DownwardAPI != nil:
		return files, v.addFields(files, volume.DownwardAPI.Items, mode(volume.DownwardAPI.DefaultMode))
	case volume.Projected != nil:
		for _, source := range volume.Projected.Sources {
			if err := v.addSource(ctx, files, volume.Name, source, mode(volume.Projected.DefaultMode), next); err != nil {
				return nil, err
			}
		}
		return files, nil
	}
	return nil, errors.New("pods that really run cannot have this kind of volume on the local control plane")
}

func (v *volumes) addSource(ctx context.Context, files map[string]file, volume string, s corev1.VolumeProjection, m os.FileMode, next *time.Time) error {
	switch {
	case s.Secret != nil:
		return v.addSecret(files, s.Secret.Name, s.Secret.Items, s.Secret.Optional, m)
	case s.ConfigMap != nil:
		return v.addConfigMap(files, s.ConfigMap.Name, s.ConfigMap.Items, s.ConfigMap.Optional, m)
	case s.DownwardAPI != nil:
		return v.addFields(files, s.DownwardAPI.Items, m)
	case s.ServiceAccountToken != nil:
		t, err := v.token(ctx, volume, s.ServiceAccountToken)
		if err != nil {
			return err
		}
		files[s.ServiceAccountToken.Path] = file{t.text, 0o600}
		if t.renew.Before(*next) {
			*next = t.renew
		}
		return nil
	}
	return errors.New("this kind of source is not supported by the local control plane")
}

func mode(given *int32) os.FileMode {
	if given == nil {
		return 0o644
	}
	return os.FileMode(*given) & os.ModePerm
}

func (v *volumes) addSecret(files map[string]file, name string, items []corev1.KeyToPath, optional *bool, m os.FileMode) error {
	object, err := v.pod.node.secrets.Secrets(v.pod.key.Namespace).Get(name)
	if err != nil {
		return unlessOptional(err, optional)
	}
	return addItems(files, "secret "+name, object.Data, items, optional, m)
}

func (v *volumes) addConfigMap(files map[string]file, name string, items []corev1.KeyToPath, optional *bool, m os.FileMode) error {
	object, err := v.pod.node.configs.ConfigMaps(v.pod.key.Namespace).Get(name)
	if err != nil {
		return unlessOptional(err, optional)
	}
	data := map[string][]byte{}
	for key, value := range object.Data {
		data[key] = []byte(value)
	}
	for key, value := range object.BinaryData {
		data[key] = value
	}
	return addItems(files, "configmap "+name, data, items, optional, m)
}

// addItems adds all of an object's data, or only the items if there are any.
func addItems(files map[string]file, object string, data map[string][]byte, items []corev1.KeyToPath, optional *bool, m os.FileMode) error {
	if len(items) == 0 {
		for key, value := range data {
			files[key] = file{value, m}
		}
		return nil
	}
	for _, item := range items {
		value, found := data[item.Key]
		if !found {
			if optional != nil && *optional {
				continue
			}
			return fmt.Errorf("%s has no key %q", object, item.Key)
		}
		itemMode := m
		if item.Mode != nil {
			itemMode = mode(item.Mode)
		}
		files[item.Path] = file{value, itemMode}
	}
	return nil
}

func (v *volumes) addFields(files map[string]file, items []corev1.DownwardAPIVolumeFile, m os.FileMode) error {
	for _, item := range items {
		var text string
		var err error
		if item.FieldRef != nil {
			text, err = v.pod.field(item.FieldRef.FieldPath)
		} else {
			text, err = v.pod.resource(item.ResourceFieldRef, item.ResourceFieldRef.ContainerName)
		}
		if err != nil {
			return err
		}
		files[item.Path] = file{[]byte(text), m}
	}
	return nil
}

// token returns a token of the pod's service account, bound to the pod, as a kubelet would get it.
func (v *volumes) token(ctx context.Context, volume string, source *corev1.ServiceAccountTokenProjection) (token, error) {
	key := volume + "/" + source.Path
	if t, have := v.tokens[key]; have && time.Now().Before(t.renew) {
		return t, nil
	}
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		ExpirationSeconds: source.ExpirationSeconds,
		BoundObjectRef: &authenticationv1.BoundObjectReference{
			APIVersion: "v1", Kind: "Pod", Name: v.pod.key.Name, UID: v.pod.key.uid,
		},
	}}
	if source.Audience != "" {
		request.Spec.Audiences = []string{source.Audience}
	}
	name := v.pod.spec.ServiceAccountName
	asked := time.Now()
	request, err := v.pod.node.client.CoreV1().ServiceAccounts(v.pod.key.Namespace).CreateToken(ctx, name, request, metav1.CreateOptions{})
	if err != nil {
		return token{}, fmt.Errorf("token of service account %s: %w", name, err)
	}
	life := request.Status.ExpirationTimestamp.Sub(asked)
	t := token{[]byte(request.Status.Token), asked.Add(life * 4 / 5)}
	v.tokens[key] = t
	return t, nil
}

// writeAtomically makes the directory contain the files, all of them at one moment: what a reader sees are links into
// a directory that is replaced as a whole.
func writeAtomically(dir string, files map[string]file) error {
	const current = "..data"
	if same(filepath.Join(dir, current), files) {
		return nil
	}
	for name := range files {
		if !filepath.IsLocal(name) || strings.HasPrefix(name, "..") {
			return fmt.Errorf("%q is not a path inside of a volume", name)
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	version, err := os.MkdirTemp(dir, "..")
	if err != nil {
		return err
	}
	tops := map[string]bool{}
	for name, f := range files {
		path := filepath.Join(version, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, f.content, f.mode); err != nil {
			return err
		}
		top, _, _ := strings.Cut(filepath.ToSlash(name), "/")
		tops[top] = true
	}
	previous, _ := os.Readlink(filepath.Join(dir, current))
	link := filepath.Join(dir, "..next")
	if err := os.Symlink(filepath.Base(version), link); err != nil {
		return err
	}
	if err := os.Rename(link, filepath.Join(dir, current)); err != nil {
		return err
	}
	return tidy(dir, current, previous, tops)
}

// tidy makes the names in a volume's directory those that its current version has, and removes the previous one.
func tidy(dir, current, previous string, tops map[string]bool) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if name := entry.Name(); !strings.HasPrefix(name, "..") && !tops[name] {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	for top := range tops {
		err := os.Symlink(filepath.Join(current, top), filepath.Join(dir, top))
		if err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	if previous != "" {
		return os.RemoveAll(filepath.Join(dir, previous))
	}
	return nil
}

// same reports whether the directory has exactly these files.
func same(dir string, files map[string]file) bool {
	resolved, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return false
	}
	count := 0
	err = filepath.WalkDir(resolved, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		count++
		name, err := filepath.Rel(resolved, path)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if want, known := files[filepath.ToSlash(name)]; err == nil && (!known || string(want.content) != string(content)) {
			return os.ErrInvalid
		}
		return err
	})
	return err == nil && count == len(files)
}
