package automation

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// refuseProtected fails while the stack has protected resources, and names them. The engine would refuse each of them
// as well, but delete what it can before.
func (s *session) refuseProtected(ctx context.Context) error {
	exported, err := s.stack.Export(ctx)
	if err != nil {
		return fmt.Errorf("read the state of stack %s: %w", s.Stack, shorten(err))
	}
	names, err := protectedNames(exported)
	if err != nil || len(names) == 0 {
		return err
	}
	s.usage = fmt.Errorf("stack %s holds data that is protected from deletion, so nothing was deleted:\n  %s\n"+
		"to delete it on purpose, set controlplane:storage.deletionProtection to false, run up, and then destroy",
		s.Stack, strings.Join(names, "\n  "))
	return s.usage
}

func protectedNames(state apitype.UntypedDeployment) ([]string, error) {
	var deployment apitype.DeploymentV3
	if len(state.Deployment) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(state.Deployment, &deployment); err != nil {
		return nil, fmt.Errorf("read the state: %w", err)
	}
	var names []string
	for _, r := range deployment.Resources {
		if r.Protect && !r.Delete {
			names = append(names, fmt.Sprintf("%s %s", r.URN.Name(), r.Type))
		}
	}
	return names, nil
}
