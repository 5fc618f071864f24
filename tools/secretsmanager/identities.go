package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// iamConfig is the input of -iam and POST /_aws/iam. It replaces existing identities with the
// same name.
type iamConfig struct {
	Account string   `json:"account,omitempty"` // 12 digits; 123456789012 unless set at the start
	Users   []user   `json:"users,omitempty"`
	Roles   []role   `json:"roles,omitempty"`
	Issuers []issuer `json:"issuers,omitempty"`
}

// user is an IAM user with one access key.
type user struct {
	Name            string   `json:"name"`
	AccessKeyID     string   `json:"access_key_id"`
	SecretAccessKey string   `json:"secret_access_key"`
	Policies        []policy `json:"policies,omitempty"`
}

// role is an IAM role. Trust is its trust policy.
type role struct {
	Name               string   `json:"name"`
	Policies           []policy `json:"policies,omitempty"`
	Trust              policy   `json:"trust"`
	MaxSessionDuration duration `json:"max_session_duration,omitempty"` // 1h by default
}

// issuer is an OIDC identity provider of the account.
type issuer struct {
	URL       string          `json:"url"`       // iss claim of its tokens
	Audiences []string        `json:"audiences"` // the provider's client IDs
	JWKS      json.RawMessage `json:"jwks"`      // the keys that sign its tokens

	keys []verifier
}

func (c iamConfig) check() error {
	if c.Account != "" && (len(c.Account) != 12 || strings.Trim(c.Account, "0123456789") != "") {
		return fmt.Errorf("iam: account %q does not have twelve digits", c.Account)
	}
	for _, u := range c.Users {
		if u.Name == "" || len(u.AccessKeyID) < 16 || u.SecretAccessKey == "" {
			return fmt.Errorf("iam: user %q needs a name, an access_key_id of 16 characters or more, and a secret_access_key", u.Name)
		}
		if err := checkAll(u.Policies); err != nil {
			return fmt.Errorf("iam: user %s: %w", u.Name, err)
		}
	}
	for _, r := range c.Roles {
		if r.Name == "" {
			return errors.New("iam: a role needs a name")
		}
		if err := errors.Join(checkAll(r.Policies), r.Trust.check(true)); err != nil {
			return fmt.Errorf("iam: role %s: %w", r.Name, err)
		}
	}
	for _, i := range c.Issuers {
		if at, err := url.Parse(i.URL); err != nil || at.Host == "" {
			return fmt.Errorf("iam: issuer %q is not a URL", i.URL)
		}
	}
	return nil
}

func checkAll(policies []policy) error {
	var all error
	for _, p := range policies {
		all = errors.Join(all, p.check(false))
	}
	return all
}

// everything returns the policy of an administrator.
func everything() []policy {
	return []policy{{Version: "2012-10-17", Statement: list[statement]{{Effect: "Allow", Action: list[string]{"*"}, Resource: list[string]{"*"}}}}}
}

// principal is the caller of a request, with credentials and policies.
type principal struct {
	identity
	name    string // user's name; empty for a session
	userID  string // aws:userid
	roleARN string // role of a session; empty for a user

	secretKey    string
	sessionToken string    // for temporary credentials
	expires      time.Time // for temporary credentials; zero = never
	policies     []policy
	session      []policy // a session policy limits the policies
	tags         tagSet   // session tags
}

// may asks IAM.
func (p *principal) may(a ask) verdict {
	v := evaluate(p.policies, a)
	if v != allow || p.session == nil {
		return v
	}
	return evaluate(p.session, a)
}

// keys returns the condition keys of the principal.
func (p *principal) keys() conditionKeys {
	keys := conditionKeys{}
	if p.roleARN != "" {
		keys.add("aws:PrincipalArn", p.roleARN)
		keys.add("aws:PrincipalType", "AssumedRole")
	} else {
		keys.add("aws:PrincipalArn", p.ARN)
		keys.add("aws:PrincipalType", "User")
		keys.add("aws:username", p.name)
	}
	keys.add("aws:PrincipalAccount", p.AccountID)
	keys.add("aws:userid", p.userID)
	for _, t := range p.tags {
		keys.add("aws:PrincipalTag/"+*t.Key, *t.Value)
	}
	return keys
}

// identities are the identities of the account.
type identities struct {
	mu       sync.Mutex
	account  string
	users    map[string]*principal // by access key ID
	sessions map[string]*principal // by access key ID
	roles    map[string]role       // by name
	issuers  map[string]issuer     // by URL
}

func newIdentities(c iamConfig, admin user) (*identities, error) {
	i := &identities{
		account: "123456789012", users: map[string]*principal{}, sessions: map[string]*principal{},
		roles: map[string]role{}, issuers: map[string]issuer{},
	}
	if c.Account != "" {
		i.account = c.Account
	}
	admin.Policies = everything()
	c.Users = append([]user{admin}, c.Users...)
	return i, i.add(c)
}

// add adds all identities or, if one is invalid, none.
func (i *identities) add(c iamConfig) error {
	if err := c.check(); err != nil {
		return err
	}
	for n := range c.Issuers {
		var err error
		if c.Issuers[n].keys, err = readJWKS(c.Issuers[n].JWKS); err != nil {
			return fmt.Errorf("iam: issuer %s: %w", c.Issuers[n].URL, err)
		}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if c.Account != "" && c.Account != i.account {
		return errors.New("iam: the account is given when the server starts")
	}
	for _, u := range c.Users {
		i.addUser(u)
	}
	for _, r := range c.Roles {
		i.roles[r.Name] = r
		for _, session := range i.sessions { // existing sessions use the role's current policies
			if session.roleARN == i.roleARN(r.Name) {
				session.policies = r.Policies
			}
		}
	}
	for _, issuer := range c.Issuers {
		i.issuers[issuer.URL] = issuer
	}
	return nil
}

func (i *identities) addUser(u user) {
	for key, old := range i.users {
		if old.name == u.Name {
			delete(i.users, key)
		}
	}
	i.users[u.AccessKeyID] = &principal{
		identity: identity{
			Type: "IAMUser", ARN: "arn:aws:iam::" + i.account + ":user/" + u.Name,
			AccountID: i.account, AccessKeyID: u.AccessKeyID, UserName: u.Name,
		},
		name: u.Name, userID: "AIDA" + u.AccessKeyID[4:], secretKey: u.SecretAccessKey, policies: u.Policies,
	}
}

func (i *identities) roleARN(name string) string {
	return "arn:aws:iam::" + i.account + ":role/" + name
}

// find returns the owner of an access key. Temporary credentials require their session token.
func (i *identities) find(accessKeyID, sessionToken string, now time.Time) (*principal, error) {
	who := i.lookup(accessKeyID)
	switch {
	case who == nil || who.sessionToken != sessionToken:
		return nil, refuse(unrecognized, "The security token included in the request is invalid.")
	case !who.expires.IsZero() && !now.Before(who.expires):
		return nil, refuse(expiredCredential, "The security token included in the request is expired")
	}
	return who, nil
}

// lookup returns a copy, because a role's policies may change, or nil if there is no such
// key.
func (i *identities) lookup(accessKeyID string) *principal {
	i.mu.Lock()
	defer i.mu.Unlock()
	who := i.users[accessKeyID]
	if who == nil {
		who = i.sessions[accessKeyID]
	}
	if who == nil {
		return nil
	}
	copied := *who
	return &copied
}

// role returns a role by its ARN.
func (i *identities) role(arn string) (role, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	name, ours := strings.CutPrefix(arn, i.roleARN(""))
	r, ok := i.roles[name]
	return r, ours && ok
}

func (i *identities) issuer(url string) (issuer, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	found, ok := i.issuers[url]
	return found, ok
}

// open creates temporary credentials for a role.
func (i *identities) open(r role, sessionName string, ends time.Time, limits []policy, tags tagSet) *principal {
	i.mu.Lock()
	defer i.mu.Unlock()
	who := &principal{
		identity: identity{
			Type: "AssumedRole", ARN: "arn:aws:sts::" + i.account + ":assumed-role/" + r.Name + "/" + sessionName,
			AccountID: i.account, AccessKeyID: newKeyID("ASIA"),
		},
		userID: roleID(r.Name) + ":" + sessionName, roleARN: i.roleARN(r.Name),
		secretKey: rand.Text() + rand.Text()[:14], sessionToken: rand.Text() + rand.Text() + rand.Text(),
		expires: ends, policies: slices.Clone(r.Policies), session: limits, tags: tags,
	}
	i.sessions[who.AccessKeyID] = who
	return who
}

// roleID returns the unique ID of a role: AROA and characters derived from its name.
func roleID(name string) string { return "AROA" + strings.ToUpper(hashHex([]byte(name))[:17]) }

// newKeyID returns an access key ID: a four-letter prefix for its kind, and 16 characters.
func newKeyID(kind string) string { return kind + rand.Text()[:16] }
