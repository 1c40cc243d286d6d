package process

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// Image makes the file system of an image at dir, out of an unpacked distribution at root. Its files are links to those
// of the distribution, whose content must not be changed in place; volumes, by their path in the image, are directories
// that stand there instead.
func Image(t *testing.T, root, dir string, volumes map[string]string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		target := filepath.Join(dir, relative)
		switch {
		case volumes[relative] != "":
			return filepath.SkipDir
		case entry.IsDir():
			return os.MkdirAll(target, 0o755)
		}
		return link(path, target)
	})
	require.NoError(t, err, "the image at %s", root)
	for path, volume := range volumes {
		require.NoError(t, os.Symlink(volume, filepath.Join(dir, path)))
	}
}

// link makes a hard link, since some programs find their files by where their own lies; or a copy, where a link cannot
// be.
func link(from, to string) error {
	if err := os.Link(from, to); err == nil {
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// Address finds a loopback address on which nobody uses the ports, for a pod of its own.
func Address(t *testing.T, ports ...int) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(254), rand.IntN(255), 1+rand.IntN(254))
		if free(address, ports) {
			return address
		}
	}
	require.Fail(t, "no loopback address is free", "ports %v", ports)
	return ""
}

func free(address string, ports []int) bool {
	for _, port := range ports {
		l, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port)))
		if err != nil {
			return false
		}
		_ = l.Close() // it only was to be seen
	}
	return true
}
