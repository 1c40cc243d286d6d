package automation

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestReadingIsTriedAgain(t *testing.T) {
	t.Parallel()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	blip, wrong := errors.New("stderr: error: dial tcp: connection refused"), errors.New("stderr: error: passphrase must be set")
	for name, c := range map[string]struct {
		ctx      context.Context
		failures []error
		want     error
		tries    int
	}{
		"at once":                 {t.Context(), nil, nil, 1},
		"after a blip":            {t.Context(), []error{blip, blip}, nil, 3},
		"not for ever":            {t.Context(), []error{blip, blip, blip, blip}, blip, 3},
		"not what is wrong":       {t.Context(), []error{wrong}, wrong, 1},
		"not when it is too late": {cancelled, []error{blip}, blip, 1},
	} {
		tries := 0
		_, err := reading(c.ctx, time.Millisecond, func() (int, error) {
			tries++
			if tries <= len(c.failures) {
				return 0, c.failures[tries-1]
			}
			return tries, nil
		})
		assert.Equal(t, c.want, err, name)
		assert.Equal(t, c.tries, tries, name)
	}
}
