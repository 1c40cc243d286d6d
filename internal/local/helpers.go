package local

// realImages are the image repositories whose pods run as real processes.
func realImages() []string { return nil }

// helpers are the parts of the control plane that run in its own process.
type helpers struct{}

func (h *helpers) start(*ControlPlane, layout) error { return nil }
func (h *helpers) wait()                             {}
