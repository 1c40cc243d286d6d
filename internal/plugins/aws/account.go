package aws

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"sync"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

// account is everything in a simulated AWS account, in the form of its file.
type account struct {
	ID string `json:"account"`
	// Resources are by type and ID.
	Resources map[string]map[string]*record `json:"resources"`

	kinds map[string]kind
}

// record is a resource as it was last made or changed.
type record struct {
	// Region is where it was made, and Account whose it is; empty: whoever asks.
	Region  string `json:"region"`
	Account string `json:"account,omitempty"`
	Inputs  values `json:"inputs"`
	// Settled is what AWS has decided about it.
	Settled values `json:"settled,omitempty"`
	// Contents is what is in it that no program knows of: the keys of a bucket's objects.
	Contents []string `json:"contents,omitempty"`
}

// find returns a resource, or nil. A part of something that is gone is gone as well.
func (a *account) find(token, id string) *record {
	r := a.Resources[token][id]
	if r == nil {
		return nil
	}
	if o := a.kinds[token].partOf; o != nil && !a.exists(o.token, text(r.Inputs, o.input)) {
		return nil
	}
	return r
}

// exists says that there is a resource, be it one that AWS has made with another one.
func (a *account) exists(token, id string) bool {
	return a.find(token, id) != nil || a.implied(token, id)
}

// subject returns a resource in its account. Where it is follows from what is known of it, and otherwise from who asks.
func (a *account) subject(token, id string, r *record, asks place) subject {
	s := subject{account: a, at: asks, id: id, in: values{}, contents: r.Contents}
	if r.Region != "" {
		s.at.region, s.at.partition = r.Region, aws.Partition(r.Region)
	}
	if r.Account != "" {
		s.at.account = r.Account
	} else if s.at.account == "" {
		s.at.account = a.ID
	}
	for _, each := range []values{a.kinds[token].defaults, r.Settled, r.Inputs} {
		maps.Copy(s.in, each)
	}
	return s
}

// all returns the resources of a type.
func (a *account) all(token string) []subject {
	var found []subject
	for id := range a.Resources[token] {
		if r := a.find(token, id); r != nil {
			found = append(found, a.subject(token, id, r, place{}))
		}
	}
	return found
}

// one returns a resource by its ID; without inputs, when there is none.
func (a *account) one(token, id string) subject {
	if r := a.find(token, id); r != nil {
		return a.subject(token, id, r, place{})
	}
	return subject{account: a}
}

func (a *account) put(token, id string, r *record) {
	if a.Resources == nil {
		a.Resources = map[string]map[string]*record{}
	}
	if a.Resources[token] == nil {
		a.Resources[token] = map[string]*record{}
	}
	a.Resources[token][id] = r
}

// remove deletes a resource and the parts that go with it.
func (a *account) remove(token, id string) {
	for part, k := range a.kinds {
		if k.partOf == nil || k.partOf.token != token {
			continue
		}
		for partID, r := range a.Resources[part] {
			if text(r.Inputs, k.partOf.input) == id {
				delete(a.Resources[part], partID)
			}
		}
	}
	delete(a.Resources[token], id)
}

// kept returns why a resource cannot go before its parts.
func (a *account) kept(token, id string) *answer {
	for part, k := range a.kinds {
		if k.partOf == nil || k.partOf.token != token || k.partOf.keeps == nil {
			continue
		}
		for _, r := range a.Resources[part] {
			if text(r.Inputs, k.partOf.input) == id {
				return k.partOf.keeps
			}
		}
	}
	return nil
}

// store keeps an account, in a file or without one in memory. The file is read anew for each operation: what somebody
// changes in it is drift.
type store struct {
	file string
	id   string // of a new account

	mu     sync.Mutex
	memory []byte
}

// view lets look look at the account.
func (s *store) view(look func(*account) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.load()
	if err != nil {
		return err
	}
	return look(a)
}

// change keeps what do does to the account, unless do fails.
func (s *store) change(do func(*account) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.load()
	if err != nil {
		return err
	}
	if err := do(a); err != nil {
		return err
	}
	data, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the simulated AWS account: %w", err)
	}
	if s.file == "" {
		s.memory = data
		return nil
	}
	return replaceFile(s.file, data)
}

func (s *store) load() (*account, error) {
	data := s.memory
	if s.file != "" {
		var err error
		if data, err = os.ReadFile(s.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read the simulated AWS account: %w", err)
		}
	}
	a := &account{kinds: kinds}
	if len(data) > 0 {
		if err := json.Unmarshal(data, a); err != nil {
			return nil, fmt.Errorf("read the simulated AWS account from %s: %w", s.file, err)
		}
	}
	if a.ID == "" {
		a.ID = s.id
	}
	return a, nil
}

// replaceFile writes a file such that it is never there by half. It may hold secrets.
func replaceFile(path string, data []byte) error {
	next, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // readable by its owner only
	if err != nil {
		return fmt.Errorf("keep the simulated AWS account: %w", err)
	}
	_, err = next.Write(data)
	if err = errors.Join(err, next.Close()); err == nil {
		err = os.Rename(next.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("keep the simulated AWS account: %w", err), os.Remove(next.Name()))
	}
	return nil
}
