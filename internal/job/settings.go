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

// The modes.
const (
	modeMint = "mint"
	modeRead = "read"
)

// connection is how to reach PAIStrike and the store, and with which credential.
type connection struct {
	api         paistrike.Config // without a token
	store       string           // which of the two that follow counts
	vault       vault.Config     // without a source of identity tokens
	aws         aws.Config       // likewise
	at          entry.Location   // of the credential
	management  secret.Secret    // takes precedence over the entry
	audience    string
	timeout     time.Duration
	maxAttempts int

	// secrets are masked before anything else happens.
	secrets []secret.Secret
}

// settings are the inputs of the action, understood and checked.
type settings struct {
	connection

	mode string

	label     string
	expiresIn time.Duration
	envName   string
	exportEnv bool
	revoke    bool
	// revokeOrFail makes a failed revocation fail the post step.
	revokeOrFail  bool
	skipUntrusted bool
	summary       bool
	minRemaining  time.Duration
	verify        bool
}

// missingCredentialError says that an input is empty that usually comes from a
// repository secret, and is the only thing wrong.
type missingCredentialError struct{ problems []string }

func (e *missingCredentialError) Error() string { return badInputs(e.problems).Error() }

// parser turns inputs into settings and gathers what is wrong with them.
type parser struct {
	in       input.Values
	inputs   []input.Input // that there are, in this command
	version  string        // of the program
	github   bool          // the inputs are those of a step of GitHub
	home     string        // of the user; "" if there is none
	readFile func(string) ([]byte, error)
	problems []string
	missing  []string
}

func (p *parser) wrong(name, format string, args ...any) {
	p.problems = append(p.problems, name+": "+fmt.Sprintf(format, args...))
}

// managementToken returns the management token, if no store keeps it.
func (p *parser) managementToken() secret.Secret {
	value := p.in["api_token"]
	if value != "" && !secret.IsVisible(value) {
		p.wrong("api_token", "has characters that no token has; was a line break copied with it?")
	}
	return secret.New(value)
}

// parseToken checks the inputs of action/. Parsing touches nothing but certificate files, and
// says all that is wrong at once.
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

// parseExec checks the flags of exec, which always mints, hands over to its command alone,
// and revokes.
func parseExec(p *parser) (settings, error) {
	s := p.minting()
	s.mode, s.exportEnv, s.revoke = modeMint, true, true
	p.envName(s)
	return s, p.verdict()
}

// minting reads what a token of one's own takes.
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

// connection reads what all commands have in common. Without a credential no PAIStrike is
// called.
func (p *parser) connection(from credential) connection {
	c := connection{
		api: p.api(), audience: p.in["audience"], management: p.managementToken(), at: from.at,
		timeout: p.duration("timeout"), maxAttempts: p.attempts(),
	}
	// A token of one's own needs the store for the management token alone.
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

// verdict says all that is wrong at once.
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

// oneOf reads an input that has few values.
func (p *parser) oneOf(name string) string {
	at := slices.IndexFunc(p.inputs, func(in input.Input) bool { return in.Name == name })
	if allowed := p.inputs[at].Values; !slices.Contains(allowed, p.in[name]) {
		p.wrong(name, "%q is not one of %s", p.in[name], strings.Join(allowed, ", "))
	}
	return p.in[name]
}

// yes reads a boolean as YAML 1.2's core schema writes them, which is what GitHub's
// own toolkit takes.
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
		p.wrong("label", "must be 40 characters at most, and printable")
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
		MaxRetries: -1, // the program itself tries again, each time with a new identity token
		Timeout:    callTimeout, UserAgent: "paistrike-action/" + p.version,
		Login: p.login(),
	}
	c.Address = p.address("vault_address")
	p.certificates(c)
	return c
}

// names reads a list with commas.
func names(list string) []string {
	return strings.FieldsFunc(list, func(c rune) bool { return c == ',' || c == ' ' || c == '\n' })
}

// headers reads lines such as "X-Organization: 42".
func (p *parser) headers(name string) map[string]string {
	headers := map[string]string{}
	for line := range strings.Lines(p.in[name]) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if !ok || key == "" || strings.ContainsFunc(key, func(r rune) bool { return !headerRune(r) }) || !printableASCII(value) {
			p.wrong(name, "each line must be a header such as X-Organization: 42") // the line may hold a secret
			continue
		}
		if name == "vault_headers" && strings.HasPrefix(strings.ToLower(key), "x-vault-") {
			p.wrong(name, "%s has an input of its own", key)
			continue
		}
		headers[key] = value
	}
	return headers
}

// secrets returns what no log may show. A short header value, such as the number of an
// organization, is not a secret, and masked it would make every log unreadable.
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
