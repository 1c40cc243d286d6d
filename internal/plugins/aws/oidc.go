package aws

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

var thumbprint = regexp.MustCompile(`^[0-9a-fA-F]{40}$`)

// oidcKinds: sources as of networkKinds (internal/service/iam).
var oidcKinds = map[string]kind{
	aws.OIDCProvider: {
		service: "IAM", create: "CreateOpenIDConnectProvider", update: "UpdateOpenIDConnectProviderThumbprint",
		remove:   "DeleteOpenIDConnectProvider",
		required: []string{"clientIdLists", "url"},
		replaces: []string{"url"},
		sets:     []string{"clientIdLists"},
		computed: []string{"arn", "tagsAll", "thumbprintLists"},
		taken:    &answer{409, "EntityAlreadyExists", "Provider with this url already exists."},
		id: func(at place, in values) string {
			return at.arn("iam", "", "oidc-provider/"+strings.TrimPrefix(text(in, "url"), "https://"))
		},
		outputs: func(s subject) values {
			prints := list(s.in["thumbprintLists"])
			if len(prints) == 0 { // AWS takes that of the top authority of the issuer's certificate
				prints = []any{digest(s.id)[:40]}
			}
			return values{"arn": s.id, "tagsAll": tags(s.in), "thumbprintLists": prints}
		},
		check: func(in values) map[string]string {
			found := map[string]string{}
			if issuer := text(in, "url"); issuer != "" {
				u, err := url.Parse(issuer)
				if err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Port() != "" {
					found["url"] = fmt.Sprintf("is %q; want an issuer, https:// and no port or query", issuer)
				}
			}
			for _, each := range walkTexts(in, "thumbprintLists") {
				if !thumbprint.MatchString(each) {
					found["thumbprintLists"] = fmt.Sprintf("has %q; want 40 hexadecimal digits", each)
				}
			}
			return found
		},
	},
}
