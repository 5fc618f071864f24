package job

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/input"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/aws"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// Values of the input mode.
const (
	modeMint = "mint"
	modeRead = "read"
)

// connection describes how to reach PAIStrike and the store, and which credential to use.
type connection struct {
	api         paistrike.Config // without a token
	store       string           // selects vault or aws
	vault       vault.Config     // without a source of identity tokens
	aws         aws.Config       // without a source of identity tokens
	at          entry.Location   // entry of the credential
	management  secret.Secret    // takes precedence over the entry
	audience    string
	timeout     time.Duration
	maxAttempts int

	// secrets are masked before anything else.
	secrets []secret.Secret
}

// settings are the parsed and validated inputs of the action.
type settings struct {
	connection

	mode string

	label     string
	expiresIn time.Duration
	envName   string
	exportEnv bool
	revoke    bool
	// revokeOrFail fails the post step if the revocation fails.
	revokeOrFail  bool
	skipUntrusted bool
	summary       bool
	minRemaining  time.Duration
	verify        bool
}

// missingCredentialError reports that the only invalid inputs are empty ones that usually
// come from repository secrets.
type missingCredentialError struct{ problems []string }

func (e *missingCredentialError) Error() string { return badInputs(e.problems).Error() }

// parser parses inputs into settings and collects problems.
type parser struct {
	in       input.Values
	inputs   []input.Input // the inputs of this command
	version  string        // of the program
	github   bool          // the inputs are those of a GitHub step
	home     string        // the user's home directory; "" if unknown
	readFile func(string) ([]byte, error)
	problems []string
	missing  []string
}

func (p *parser) wrong(name, format string, args ...any) {
	p.problems = append(p.problems, name+": "+fmt.Sprintf(format, args...))
}

// managementToken returns the management token if it is an input.
func (p *parser) managementToken() secret.Secret {
	value := p.in["api_token"]
	if value != "" && !secret.IsVisible(value) {
		p.wrong("api_token", "contains characters that are not valid in a token; check for a copied line break")
	}
	return secret.New(value)
}

// parseToken parses the inputs of action/. It reads only certificate files and reports all
// problems together.
func parseToken(p *parser) (settings, error) {
	s := p.minting()
	s.mode = p.oneOf("mode")
	s.exportEnv, s.revoke = p.yes("export_env"), p.yes("revoke")
	s.revokeOrFail = p.oneOf("on_revoke_failure") == "error"
	s.skipUntrusted = p.oneOf("on_untrusted") == "skip"
	if p.in["min_remaining"] != "0" {
		s.minRemaining = p.duration("min_remaining")
	}
	s.summary = p.yes("summary")
	p.envName(s)
	return s, p.verdict()
}

// parseExec parses the flags of exec, which always mints, passes the token only to its
// command, and revokes it.
func parseExec(p *parser) (settings, error) {
	s := p.minting()
	s.mode, s.exportEnv, s.revoke = modeMint, true, true
	p.envName(s)
	return s, p.verdict()
}

// minting parses the inputs of a minted token.
func (p *parser) minting() settings {
	return settings{
		connection: p.connection(p.own()),
		label:      p.label(), expiresIn: p.duration("expires_in"), envName: p.in["env_name"], verify: p.yes("verify"),
	}
}

func (p *parser) envName(s settings) {
	if problem := checkEnvName(s.envName); problem != "" && s.exportEnv {
		p.wrong("env_name", "%s", problem)
	}
}

// connection parses the inputs that all commands have in common. Without a credential,
// PAIStrike is not called.
func (p *parser) connection(from credential) connection {
	c := connection{
		api: p.api(), audience: p.in["audience"], management: p.managementToken(), at: from.at,
		timeout: p.duration("timeout"), maxAttempts: p.attempts(),
	}
	// Minting uses the store only for the management token.
	if needless := !c.management.IsZero() && from.input != "broker_path"; !needless {
		p.readStore(&c)
	}
	if from.input != "" && c.at.Path == "" && c.management.IsZero() {
		p.wrong(from.input, "is required, such as ci/paistrike")
	}
	if c.store == storeAWS {
		p.secretID(from.input, true)
	}
	if c.audience == "" {
		c.audience = map[string]string{storeVault: p.in["vault_address"], storeAWS: "sts.amazonaws.com"}[c.store]
	}
	c.secrets = p.secrets(c)
	return c
}

// verdict returns one error for all problems.
func (p *parser) verdict() error {
	switch {
	case len(p.problems) > 0:
		return badInputs(append(p.problems, p.missing...))
	case len(p.missing) > 0:
		return &missingCredentialError{p.missing}
	}
	return nil
}

// has reports whether this command has an input.
func (p *parser) has(name string) bool { _, ok := p.in[name]; return ok }

// oneOf parses an input with a fixed set of values.
func (p *parser) oneOf(name string) string {
	at := slices.IndexFunc(p.inputs, func(in input.Input) bool { return in.Name == name })
	if allowed := p.inputs[at].Values; !slices.Contains(allowed, p.in[name]) {
		p.wrong(name, "%q is not one of %s", p.in[name], strings.Join(allowed, ", "))
	}
	return p.in[name]
}

// yes parses a boolean of YAML 1.2's core schema, like GitHub's toolkit.
func (p *parser) yes(name string) bool {
	switch p.in[name] {
	case "true", "True", "TRUE":
		return true
	case "false", "False", "FALSE":
	default:
		p.wrong(name, "%q is neither true nor false", p.in[name])
	}
	return false
}

func (p *parser) duration(name string) time.Duration {
	d, err := schedule.ParseDuration(p.in[name])
	if err != nil {
		p.wrong(name, "%v", err)
	}
	return d
}

func (p *parser) attempts() int {
	n, err := strconv.Atoi(p.in["max_attempts"])
	if err != nil || n < 1 || n > 20 {
		p.wrong("max_attempts", "%q is not a number from 1 to 20", p.in["max_attempts"])
	}
	return n
}

func (p *parser) label() string {
	label := p.in["label"]
	if utf8.RuneCountInString(label) > 40 || strings.ContainsFunc(label, func(r rune) bool { return !unicode.IsPrint(r) }) {
		p.wrong("label", "must be up to 40 printable characters")
	}
	return label
}

func (p *parser) api() paistrike.Config {
	c := paistrike.Config{
		Endpoint: p.in["endpoint"], Prefix: p.in["api_prefix"], Headers: p.headers("headers"),
		UserAgent: "paistrike-action/" + p.version, Timeout: callTimeout,
	}
	routes, err := paistrike.ParseRoutes(p.in["api_routes"])
	if err != nil {
		p.problems = append(p.problems, err.Error())
		return c
	}
	c.Routes = routes
	if c.Auth, err = paistrike.ParseAuth(p.in["auth"]); err != nil {
		p.problems = append(p.problems, err.Error())
		return c
	}
	if err := c.Validate(); err != nil {
		p.problems = append(p.problems, err.Error())
	}
	return c
}

func (p *parser) vault() vault.Config {
	c := vault.Config{
		Identity: p.in["vault_identity"], FormerIdentities: names(p.in["vault_former_identities"]),
		Address: p.in["vault_address"], Namespace: p.in["vault_namespace"], AuthNamespace: p.in["vault_auth_namespace"],
		CACertPEM: p.pem("vault_ca_cert"), AddToSystemRoots: true,
		ClientCertPEM: p.pem("vault_client_cert"), ClientKeyPEM: p.pem("vault_client_key"),
		TLSServerName: p.in["vault_tls_server_name"], Headers: p.headers("vault_headers"),
		MaxRetries: -1, // the program retries itself, each time with a new identity token
		Timeout:    callTimeout, UserAgent: "paistrike-action/" + p.version,
		Login: p.login(),
	}
	c.Address = p.address("vault_address")
	p.certificates(c)
	return c
}

// names splits a list separated by commas, spaces or line breaks.
func names(list string) []string {
	return strings.FieldsFunc(list, func(c rune) bool { return c == ',' || c == ' ' || c == '\n' })
}

// headers parses lines such as "X-Organization: 42".
func (p *parser) headers(name string) map[string]string {
	headers := map[string]string{}
	for line := range strings.Lines(p.in[name]) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if !ok || key == "" || strings.ContainsFunc(key, func(r rune) bool { return !headerRune(r) }) || !printableASCII(value) {
			p.wrong(name, "each line must be a header such as X-Organization: 42") // does not quote the line, which may contain a secret
			continue
		}
		if name == "vault_headers" && strings.HasPrefix(strings.ToLower(key), "x-vault-") {
			p.wrong(name, "must not contain %s, which has a separate input", key)
			continue
		}
		headers[key] = value
	}
	return headers
}

// secrets returns the values to mask. A short header value, such as an organization number,
// is not a secret, and masking it would make every log unreadable.
func (p *parser) secrets(c connection) []secret.Secret {
	all := []secret.Secret{c.vault.Login.SecretID, c.vault.Login.Token, c.vault.Login.JWT, c.vault.Login.Password, c.management}
	for _, headers := range []map[string]string{c.api.Headers, c.vault.Headers} {
		for _, value := range headers {
			if len(value) > 7 {
				all = append(all, secret.New(value))
			}
		}
	}
	for line := range strings.Lines(c.vault.ClientKeyPEM) {
		if line = strings.TrimSpace(line); len(line) > 7 && !strings.HasPrefix(line, "-----") {
			all = append(all, secret.New(line))
		}
	}
	return slices.DeleteFunc(all, secret.Secret.IsZero)
}

func headerRune(r rune) bool {
	return r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("!#$%&'*+-.^_`|~", r))
}

func printableASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

var errNotVisible = errors.New("the value is not one line of visible ASCII characters")
