package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// Duration is a time.Duration that configuration spells as "720h" or "30m".
type Duration time.Duration

// Std returns the duration as a time.Duration.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String returns the duration as time.Duration does: 720h0m0s.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalJSON writes the duration as a string.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// UnmarshalJSON reads the duration from a string.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("duration %s: %w", data, err)
	}
	parsed, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("duration %q: %w", text, err)
	}
	*d = Duration(parsed)
	return nil
}

// Secret is a value that is never printed: formatting and marshalling redact it.
type Secret string

const redacted = "[secret]"

// encrypted stands for a value that a stack file has in encrypted form, which
// only the engine can decrypt. No value that a file can hold equals it.
const encrypted = "\x00encrypted"

// Reveal returns the secret's value; it is empty when the value is not set or
// not known.
func (s Secret) Reveal() string {
	if s == encrypted {
		return ""
	}
	return string(s)
}

// IsSet says whether a value is given, be it known or encrypted.
func (s Secret) IsSet() bool { return s != "" }

// Known says whether the value can be revealed. What [Load] reads is encrypted
// in the stack file, so that it is set but not known.
func (s Secret) Known() bool { return s != "" && s != encrypted }

func (s Secret) display() string {
	if s == "" {
		return ""
	}
	return redacted
}

// String redacts the value.
func (s Secret) String() string { return s.display() }

// GoString redacts the value, also where %#v prints a struct around it.
func (s Secret) GoString() string { return fmt.Sprintf("%q", s.display()) }

// MarshalJSON redacts the value.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.display()) }

// MarshalText redacts the value, for encoders other than JSON's.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.display()), nil }

// Parameters are settings by name. Numbers and booleans may be written as such.
type Parameters map[string]string

// UnmarshalJSON reads the values as text, booleans as on and off.
func (p *Parameters) UnmarshalJSON(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var values map[string]any
	if err := decoder.Decode(&values); err != nil {
		return fmt.Errorf("parameters: %w", err)
	}
	*p = make(Parameters, len(values))
	for name, value := range values {
		switch v := value.(type) {
		case bool:
			(*p)[name] = map[bool]string{true: "on", false: "off"}[v]
		default:
			(*p)[name] = fmt.Sprint(v)
		}
	}
	return nil
}
