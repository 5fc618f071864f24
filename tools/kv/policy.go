package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/vault/sdk/logical"
)

// policyToken is a token whose permissions are its rules.
type policyToken struct {
	token string
	rules policy
}

// policy is a list of rules; nil is the root policy, which allows everything.
type policy []rule

// rule lists the capabilities for a path. A trailing "*" matches any suffix.
type rule struct {
	path         string
	capabilities []string
}

// parsePolicyToken parses "TOKEN=secret/data/ci/*:create,update;secret/metadata/ci/*:read".
func parsePolicyToken(text string) (policyToken, error) {
	token, rules, ok := strings.Cut(text, "=")
	if !ok || token == "" {
		return policyToken{}, fmt.Errorf("%q is not of the form TOKEN=path:capability", text)
	}
	p := policyToken{token: token, rules: policy{}}
	for part := range strings.SplitSeq(rules, ";") {
		if part == "" {
			continue
		}
		path, capabilities, ok := strings.Cut(part, ":")
		if !ok {
			return policyToken{}, fmt.Errorf("%q is not of the form path:capability", part)
		}
		p.rules = append(p.rules, rule{path: strings.Trim(path, "/"), capabilities: strings.Split(capabilities, ",")})
	}
	return p, nil
}

// capabilities returns a path's capabilities. As in Vault, only the most specific rule
// applies.
func (p policy) capabilities(path string) []string {
	if p == nil {
		return []string{"root"}
	}
	path = strings.Trim(path, "/")
	best, found := -1, []string{"deny"}
	for _, r := range p {
		prefix, open := strings.CutSuffix(r.path, "*")
		if matches := path == r.path || open && strings.HasPrefix(path, prefix); matches && len(prefix) > best {
			best, found = len(prefix), slices.Sorted(slices.Values(r.capabilities))
		}
	}
	return found
}

func (p policy) allows(op logical.Operation, path string) bool {
	capabilities := p.capabilities(path)
	return slices.Contains(capabilities, "root") || slices.Contains(capabilities, string(op))
}

// sees reports whether any rule is for a path at or below a mount. Vault requires this to
// describe the mount.
func (p policy) sees(mount string) bool {
	return p == nil || slices.ContainsFunc(p, func(r rule) bool {
		return strings.HasPrefix(r.path, mount+"/") && !slices.Equal(r.capabilities, []string{"deny"})
	})
}
