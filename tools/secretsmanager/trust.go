package main

import "slices"

// trusts decides by a role's trust policy. by matches the statement's Principal
// with the caller. How an allowed statement named the caller matters: naming the
// account leaves it to the caller's own policies.
func (r role) trusts(a ask, by func(principalPattern) (matched, byName bool)) (v verdict, byName bool) {
	for _, s := range r.Trust.Statement {
		matched, exact := by(s.Principal)
		if !matched || !s.aboutAction(a.action) || !s.conditionsHold(a.keys) {
			continue
		}
		if s.Effect == "Deny" {
			return explicitDeny, false
		}
		v, byName = allow, byName || exact
	}
	return v, byName
}

// asAWS matches a caller that has AWS credentials.
func (p *principal) asAWS(pattern principalPattern) (matched, byName bool) {
	own := []string{p.ARN}
	if p.roleARN != "" {
		own = append(own, p.roleARN)
	}
	if slices.ContainsFunc(own, func(arn string) bool { return slices.Contains(pattern.AWS, arn) }) {
		return true, true
	}
	account := []string{"*", p.AccountID, "arn:aws:iam::" + p.AccountID + ":root"}
	return pattern.Any || slices.ContainsFunc(account, func(arn string) bool { return slices.Contains(pattern.AWS, arn) }), false
}

// asFederated matches a caller that has a token of the issuer.
func (i issuer) asFederated(account string) func(principalPattern) (matched, byName bool) {
	return func(pattern principalPattern) (bool, bool) {
		return slices.Contains(pattern.Federated, "arn:aws:iam::"+account+":oidc-provider/"+i.host()), true
	}
}
