package handover

// Resource classes of the published table, as the stack's output names them.
const (
	classOperator  = "operator"
	classAPIServer = "apiServer"
)

// part is a Deployment of the Control Plane.
type part struct {
	// name is the component's: of its image, its files here, and the label that its pods get.
	name string
	// deployment is a regular expression: some releases call an operator otherwise.
	deployment string
	// container is the one that is the program's, class its resource class.
	container, class string
	// isolated says that the Control Plane's own network policies let only some callers reach it.
	isolated bool
	// ingress names the Ingress that leads to it; empty: none.
	ingress string
	// api says that it belongs to the API for user interfaces.
	api bool
}

// parts are the Control Plane's, from its bundle and the API beside it. A patch for one that a release does not have
// changes nothing.
var parts = []part{
	operator("admin"), {name: "api", deployment: "api(-operator)?-controller-manager", container: "manager", class: classOperator},
	operator("application"), operator("approval"), operator("gateway"), operator("identity"), operator("notification"),
	operator("organization"), operator("rover"),
	{name: "secret-manager", deployment: "secret-manager", container: "manager", class: classAPIServer, isolated: true},
	{name: "file-manager", deployment: "file-manager", container: "manager", class: classAPIServer, isolated: true},
	{name: "rover-server", deployment: "rover-server", container: "server", class: classAPIServer, ingress: "rover-server-ingress"},
	{
		name: "controlplane-api", deployment: "controlplane-api", container: "manager", class: classAPIServer, isolated: true,
		ingress: "controlplane-api-ingress", api: true,
	},
	{name: "projector", deployment: "projector-controller-manager", container: "manager", class: classOperator, api: true},
}

func operator(name string) part {
	return part{name: name, deployment: name + "-controller-manager", container: "manager", class: classOperator}
}

// replicas of a part: of operators one works and the other waits, servers all work.
func (p part) replicas(zonal bool) int64 {
	switch {
	case !zonal:
		return 1
	case p.class == classOperator:
		return 2
	}
	return 3
}

// used are the parts of a Control Plane with these options.
func (o Options) used() []part {
	var all []part
	for _, p := range parts {
		if !p.api || !o.WithoutAPI {
			all = append(all, p)
		}
	}
	return all
}
