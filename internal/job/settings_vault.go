package job

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/paistrike/terraform-provider-paistrike/internal/runner"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// login parses how to get a Vault token. A GitHub job gets its JWT from GitHub.
func (p *parser) login() vault.Login {
	method := p.oneOf("vault_auth_method")
	for _, in := range p.inputs {
		if in.Login != "" && p.in[in.Name] != "" && !slices.Contains(strings.Fields(in.Login), method) {
			p.wrong(in.Name, "cannot be used with vault_auth_method %s", method)
		}
	}
	l := vault.Login{Method: method, Mount: strings.Trim(p.in["vault_auth_path"], "/"), Role: p.in["vault_role"]}
	switch method {
	case vault.MethodJWT:
		p.need("vault_role", method)
		l.File = p.in["vault_jwt_file"]
		l.JWT = p.jwt(l.File)
	case vault.MethodKubernetes:
		p.need("vault_role", method)
		l.File = p.in["kubernetes_token_path"]
	case vault.MethodAppRole:
		l.RoleID = p.credential("vault_role_id").Reveal()
		l.SecretID = p.credential("vault_secret_id")
	case vault.MethodUserpass:
		p.need("vault_username", method)
		l.Username, l.Password = p.in["vault_username"], p.text("vault_password")
	case vault.MethodToken:
		l.Token = p.vaultToken(&l)
	case vault.MethodAgent:
		if p.in["vault_identity"] == "" {
			p.wrong("vault_identity", "is required for vault_auth_method %s, because its address does not identify the Vault behind it", method)
		}
	}
	if l.Mount != "" && (method == vault.MethodToken || method == vault.MethodAgent) {
		l.Mount = ""
		p.wrong("vault_auth_path", "cannot be used with vault_auth_method %s", method)
	}
	if strings.Contains("/"+l.Mount+"/", "/../") {
		p.wrong("vault_auth_path", "leads elsewhere")
	}
	return l
}

// vaultToken parses a Vault token. Outside GitHub, it falls back to the token file of `vault
// login`.
func (p *parser) vaultToken(l *vault.Login) secret.Secret {
	if p.in["vault_token"] != "" || p.github || p.home == "" {
		return p.credential("vault_token")
	}
	file := filepath.Join(p.home, ".vault-token")
	if raw, err := p.readFile(file); err != nil || len(bytes.TrimSpace(raw)) == 0 {
		return p.credential("vault_token")
	}
	l.Method, l.File = vault.MethodTokenFile, file
	return secret.Secret{}
}

// jwt parses the identity token of another CI.
func (p *parser) jwt(file string) secret.Secret {
	value := p.in["vault_jwt"]
	switch {
	case p.github:
	case value == "" && file == "":
		p.wrong("vault_jwt", "is required for vault_auth_method jwt, unless vault_jwt_file is set: the OIDC token of your CI")
	case value != "" && file != "":
		p.wrong("vault_jwt_file", "cannot be combined with vault_jwt; set only one of them")
	case value != "" && !secret.IsVisible(value):
		p.wrong("vault_jwt", "is not a JWT; check for a copied line break")
	}
	return secret.New(value)
}

func (p *parser) need(name, method string) {
	if p.in[name] == "" {
		p.wrong(name, "is required for vault_auth_method %s", method)
	}
}

// credential parses a required secret of visible characters, the format of Vault and
// PAIStrike.
func (p *parser) credential(name string) secret.Secret {
	value := p.text(name)
	if !value.IsZero() && !secret.IsVisible(value.Reveal()) {
		p.wrong(name, "contains characters that are not valid in it; check for a copied line break")
	}
	return value
}

// text parses a required secret.
func (p *parser) text(name string) secret.Secret {
	if p.in[name] == "" && p.github {
		p.missing = append(p.missing, name+": is empty; check that its secret is set and available to this repository, environment and event")
	} else if p.in[name] == "" {
		p.missing = append(p.missing, name+": is required")
	}
	return secret.New(p.in[name])
}

const pemBegin = "-----BEGIN "

// pem parses certificates and keys: PEM, PEM in one line with \n or spaces as line breaks,
// base64-encoded PEM, or the path of a PEM file. It validates them.
func (p *parser) pem(name string) string {
	value := p.in[name]
	if value == "" {
		return ""
	}
	text := value
	if !strings.Contains(value, pemBegin) {
		if raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(value), "")); err == nil {
			text = string(raw)
		} else if !strings.ContainsAny(value, "\n\r\x00") {
			raw, err := p.readFile(value)
			if err != nil {
				raw = nil // err is not reported because it quotes the value
			}
			text = string(raw)
		}
	}
	if strings.Contains(text, pemBegin) {
		if whole, ok := wholePEM(text); ok {
			return whole
		}
		p.wrong(name, "is not valid PEM: part of it is missing, or it was changed when it was copied")
		return ""
	}
	p.wrong(name, "is not PEM, base64-encoded PEM, or the path of a PEM file")
	return ""
}

var pemBlock = regexp.MustCompile(`-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END ([A-Z0-9 ]+)-----`)

// wholePEM normalizes the line breaks of PEM blocks.
func wholePEM(text string) (string, bool) {
	text = strings.NewReplacer(`\r`, "\n", `\n`, "\n").Replace(text)
	var b strings.Builder
	for _, block := range pemBlock.FindAllStringSubmatch(text, -1) {
		raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(block[2]), ""))
		if err != nil || block[1] != block[3] || len(raw) == 0 {
			return "", false
		}
		b.Write(pem.EncodeToMemory(&pem.Block{Type: block[1], Bytes: raw}))
	}
	return b.String(), b.Len() > 0 && strings.Count(text, pemBegin) == strings.Count(b.String(), pemBegin)
}

// certificates validates certificates and checks that the key matches.
func (p *parser) certificates(c vault.Config) {
	for name, text := range map[string]string{"vault_ca_cert": c.CACertPEM, "vault_client_cert": c.ClientCertPEM} {
		for rest := []byte(text); len(rest) > 0; {
			var block *pem.Block
			if block, rest = pem.Decode(rest); block == nil {
				break
			}
			if _, err := x509.ParseCertificate(block.Bytes); err != nil || block.Type != "CERTIFICATE" {
				p.wrong(name, "contains a %s instead of a certificate", block.Type)
				break
			}
		}
	}
	switch _, err := tls.X509KeyPair([]byte(c.ClientCertPEM), []byte(c.ClientKeyPEM)); {
	case (c.ClientCertPEM == "") != (c.ClientKeyPEM == ""):
		p.wrong("vault_client_cert", "must be set together with vault_client_key")
	case c.ClientCertPEM != "" && err != nil:
		p.wrong("vault_client_key", "is not the private key of vault_client_cert")
	}
}

// address parses Vault's address and removes the UI and API paths that people paste with it.
// No message quotes the address, because it may contain a password.
func (p *parser) address(name string) string {
	address := p.in[name]
	u, err := url.Parse(address)
	problem := ""
	switch {
	case address == "":
		problem = "is required, such as https://vault.example.com:8200"
		if p.github {
			problem += "; VAULT_ADDR is not read, because an earlier step could set it"
		}
	case err != nil || u.Host == "" || u.Opaque != "":
		problem = "is not a URL such as https://vault.example.com:8200"
	case u.User != nil:
		problem = "must not contain a username or password"
	case u.RawQuery != "" || u.Fragment != "":
		problem = "must not contain a query or a fragment"
	case u.Scheme != "https" && (u.Scheme != "http" || !runner.IsLoopback(u.Hostname())):
		problem = "must begin with https:// (http:// is allowed only for loopback addresses)"
	default:
		return withoutPage(u)
	}
	p.wrong(name, "%s", problem)
	return address
}

// withoutPage removes /ui and what follows it, and a trailing /v1.
func withoutPage(u *url.URL) string {
	path, _, _ := strings.Cut(u.Path+"/", "/ui/")
	u.Path = strings.TrimSuffix(strings.TrimRight(path, "/"), "/v1")
	u.RawPath = ""
	return u.String()
}
