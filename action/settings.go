package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// The modes.
const (
	modeMint = "mint"
	modeRead = "read"
)

// connection is how to reach PAIStrike and Vault, and with which credential.
type connection struct {
	api         paistrike.Config // without a token
	vault       vault.Config     // without a source of identity tokens
	at          entry.Location   // of the credential
	audience    string
	summary     bool
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
	minRemaining  time.Duration
	verify        bool
}

// missingCredentialError says that an input is empty that usually comes from a
// repository secret, and is the only thing wrong.
type missingCredentialError struct{ problems []string }

func (e *missingCredentialError) Error() string { return badInputs(e.problems).Error() }

// parser turns inputs into settings and gathers what is wrong with them.
type parser struct {
	in       values
	readFile func(string) ([]byte, error)
	problems []string
	missing  []string
}

func (p *parser) wrong(name, format string, args ...any) {
	p.problems = append(p.problems, name+": "+fmt.Sprintf(format, args...))
}

// parse checks the inputs. It touches nothing but certificate files. All that is
// wrong is said at once.
func parse(in values, readFile func(string) ([]byte, error)) (settings, error) {
	p := &parser{in: in, readFile: readFile}
	s := settings{
		mode:          p.oneOf("mode", modeMint, modeRead),
		label:         p.label(),
		expiresIn:     p.duration("expires_in"),
		envName:       in["env_name"],
		exportEnv:     p.yes("export_env"),
		revoke:        p.yes("revoke"),
		revokeOrFail:  p.oneOf("on_revoke_failure", "warn", "error") == "error",
		skipUntrusted: p.oneOf("on_untrusted", "error", "skip") == "skip",
		verify:        p.yes("verify"),
	}
	if in["min_remaining"] != "0" {
		s.minRemaining = p.duration("min_remaining")
	}
	if problem := checkEnvName(s.envName); problem != "" && s.exportEnv {
		p.wrong("env_name", "%s", problem)
	}
	s.connection = p.connection("vault_path", in["vault_mount"], in["vault_key"])
	return s, p.verdict()
}

// connection reads what all commands have in common. The credential's path is the
// input named here.
func (p *parser) connection(path, mount, key string) connection {
	c := connection{
		api: p.api(), vault: p.vault(), audience: p.in["audience"],
		at:      entry.Location{Mount: strings.Trim(mount, "/"), Path: strings.Trim(p.in[path], "/"), Key: key},
		summary: p.yes("summary"), timeout: p.duration("timeout"), maxAttempts: p.attempts(),
	}
	if c.at.Path == "" {
		p.wrong(path, "is required, such as ci/paistrike")
	}
	if c.audience == "" {
		c.audience = p.in["vault_address"]
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

func (p *parser) oneOf(name string, allowed ...string) string {
	if !slices.Contains(allowed, p.in[name]) {
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
		UserAgent: "paistrike-action/" + version, Timeout: callTimeout,
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
		Address: p.in["vault_address"], Namespace: p.in["vault_namespace"], AuthNamespace: p.in["vault_auth_namespace"],
		CACertPEM: p.pem("vault_ca_cert"), AddToSystemRoots: true,
		ClientCertPEM: p.pem("vault_client_cert"), ClientKeyPEM: p.pem("vault_client_key"),
		TLSServerName: p.in["vault_tls_server_name"], Headers: p.headers("vault_headers"),
		MaxRetries: -1, // the program itself tries again, each time with a new identity token
		Timeout:    callTimeout, UserAgent: "paistrike-action/" + version,
		Login: p.login(),
	}
	if problem := checkAddress(c.Address); problem != "" {
		p.wrong("vault_address", "%s", problem)
	}
	if (c.ClientCertPEM == "") != (c.ClientKeyPEM == "") {
		p.wrong("vault_client_cert", "goes together with vault_client_key")
	}
	return c
}

func (p *parser) login() vault.Login {
	method := p.oneOf("vault_auth_method", "jwt", "approle", "token", "kubernetes")
	for _, in := range allInputs() {
		if in.login != "" && p.in[in.name] != "" && !slices.Contains(strings.Fields(in.login), method) {
			p.wrong(in.name, "is not for vault_auth_method %s", method)
		}
	}
	need := func(name string) {
		if p.in[name] == "" {
			p.wrong(name, "is required for vault_auth_method %s", method)
		}
	}
	l := vault.Login{Method: method, Mount: strings.Trim(p.in["vault_auth_path"], "/"), Role: p.in["vault_role"]}
	switch method {
	case "jwt", "kubernetes":
		need("vault_role")
		l.File = p.in["kubernetes_token_path"]
	case "approle":
		l.RoleID = p.credential("vault_role_id").Reveal()
		l.SecretID = p.credential("vault_secret_id")
	case "token":
		l.Mount = ""
		l.Token = p.credential("vault_token")
		if p.in["vault_auth_path"] != "" {
			p.wrong("vault_auth_path", "is not for vault_auth_method token")
		}
	}
	if strings.Contains("/"+l.Mount+"/", "/../") {
		p.wrong("vault_auth_path", "leads elsewhere")
	}
	return l
}

// credential reads an input that comes from a repository secret.
func (p *parser) credential(name string) secret.Secret {
	value := p.in[name]
	switch {
	case value == "":
		p.missing = append(p.missing, name+": is empty; is the secret that it comes from set for this repository, environment and event?")
	case !visible(value):
		p.wrong(name, "has characters that no such value has; was a line break copied with it?")
	}
	return secret.New(value)
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

// pem takes certificates and keys as PEM, as base64 of PEM, or as the path of a file
// with PEM in it.
func (p *parser) pem(name string) string {
	const begin = "-----BEGIN "
	value := p.in[name]
	if value == "" || strings.Contains(value, begin) {
		return value
	}
	if raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(value), "")); err == nil {
		if strings.Contains(string(raw), begin) {
			return string(raw)
		}
	}
	if strings.ContainsAny(value, "\n\r\x00") {
		p.wrong(name, "is neither PEM, nor base64 of PEM, nor the path of a file")
		return ""
	}
	raw, err := p.readFile(value)
	if err != nil || !strings.Contains(string(raw), begin) {
		p.wrong(name, "is neither PEM, nor base64 of PEM, nor the path of a file that has some") // no text of err: it repeats the value
		return ""
	}
	return string(raw)
}

// secrets gives what no log may show. A short header value, such as the number of an
// organization, is no secret, and masked it would make every log unreadable.
func (p *parser) secrets(c connection) []secret.Secret {
	all := []secret.Secret{c.vault.Login.SecretID, c.vault.Login.Token}
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

// checkAddress says what is wrong with Vault's address. It repeats nothing of it: a
// password may have been written into it.
func checkAddress(address string) string {
	u, err := url.Parse(address)
	switch {
	case address == "":
		return "is required, such as https://vault.example.com:8200; VAULT_ADDR is not read, because an earlier step could set it"
	case err != nil || u.Host == "" || u.Opaque != "":
		return "is not an address such as https://vault.example.com:8200"
	case u.User != nil:
		return "must not carry a user name or password"
	case u.RawQuery != "" || u.Fragment != "":
		return "must not carry a query or a fragment"
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return "must begin with https:// (http:// is for loopback addresses only)"
	}
	return ""
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

func headerRune(r rune) bool {
	return r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("!#$%&'*+-.^_`|~", r))
}

func printableASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// visible reports whether s is one line of visible ASCII and not empty, as a token
// must be: anything else the runner may mask in part only.
func visible(s string) bool { return s != "" && printableASCII(s) && !strings.Contains(s, " ") }

var errNotVisible = errors.New("the value is not one line of visible ASCII characters")
