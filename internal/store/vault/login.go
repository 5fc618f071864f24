package vault

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// The login methods of [Login].
const (
	MethodToken      = "token"
	MethodTokenFile  = "token_file"
	MethodAppRole    = "approle"
	MethodJWT        = "jwt"
	MethodKubernetes = "kubernetes"
	MethodUserpass   = "userpass"
	MethodGeneric    = "generic"
	MethodAgent      = "agent"
)

// kubernetesTokenFile is where Kubernetes mounts the token of a pod's service account.
const kubernetesTokenFile = "/var/run/secrets/kubernetes.io/serviceaccount/token" //nolint:gosec // a path

// Login configures how to get a Vault token: a method and the fields that the method
// needs.
//
//	token       Token
//	token_file  File: a file with a Vault token, such as ~/.vault-token
//	approle     RoleID, and SecretID if the role requires one
//	jwt         Role, and one of JWT, JWTSource, File
//	kubernetes  Role; JWT or File, by default the token of the pod's service account
//	userpass    Username, and Password or File
//	generic     Path such as "auth/ldap/login/ann", Parameters
//	agent       none: the address is that of a Vault Agent or Vault Proxy, which adds its
//	            own token to every request
type Login struct {
	Method string
	// Mount is the mount path of the method, below auth/. "" means the method's name.
	Mount     string
	Namespace string // "" means the client's AuthNamespace

	Token                   secret.Secret
	File                    string
	Role, RoleID            string
	SecretID, JWT, Password secret.Secret
	Username                string
	Path                    string
	Parameters              map[string]secret.Secret
	// JWTSource returns a new JWT for each login, because a JWT can be used only once or
	// expires soon.
	JWTSource func(ctx context.Context) (secret.Secret, error)
}

// renewable reports whether another login can return another Vault token.
func (l Login) renewable() bool { return l.Method != MethodToken && l.Method != MethodAgent }

// ours reports whether this client logged in for the Vault token, and so must revoke it.
func (l Login) ours() bool { return l.renewable() && l.Method != MethodTokenFile }

func (l Login) mount() string {
	switch l.Method {
	case MethodToken, MethodTokenFile, MethodAgent:
		return ""
	case MethodGeneric:
		return strings.TrimPrefix(strings.Trim(l.Path, "/"), "auth/")
	default:
		return cmp.Or(strings.Trim(l.Mount, "/"), l.Method)
	}
}

func (l Login) failed(err error) error {
	return &LoginError{Method: l.Method, Mount: l.mount(), Err: err}
}

// check returns an error if the method lacks a field.
func (l Login) check() error {
	needs := map[string]string{}
	switch l.Method {
	case "":
		return &LoginError{Method: "no method", Err: errors.New("there is no token and no login")}
	case MethodToken:
		if !secret.IsVisible(l.Token.Reveal()) {
			return l.failed(errors.New("the token is empty or holds characters that no token has"))
		}
	case MethodAgent:
	case MethodTokenFile:
		needs["a file"] = l.File
	case MethodAppRole:
		needs["a role id"] = l.RoleID
	case MethodJWT:
		if l.JWT.IsZero() && l.JWTSource == nil && l.File == "" {
			return l.failed(errors.New("a JWT is missing"))
		}
	case MethodKubernetes:
		needs["a role"] = l.Role
	case MethodUserpass:
		needs["a user name"] = l.Username
		needs["a password"] = l.Password.Reveal() + l.File
	case MethodGeneric:
		needs["a path"] = strings.Trim(l.Path, "/")
	default:
		return l.failed(errors.New("there is no such method"))
	}
	for what, value := range needs {
		if value == "" {
			return l.failed(errors.New(what + " is missing"))
		}
	}
	if strings.Contains("/"+l.mount()+"/"+l.Username+"/", "/../") {
		return l.failed(errors.New("the path leads elsewhere"))
	}
	return nil
}

// request returns the path and the body of the login.
func (l Login) request(ctx context.Context) (path string, body map[string]any, err error) {
	path, body = "auth/"+l.mount()+"/login", map[string]any{}
	switch l.Method {
	case MethodAppRole:
		body["role_id"] = l.RoleID
		if !l.SecretID.IsZero() {
			body["secret_id"] = l.SecretID.Reveal()
		}
	case MethodJWT, MethodKubernetes:
		jwt, err := l.jwt(ctx)
		if err != nil {
			return "", nil, err
		}
		body["jwt"] = jwt.Reveal()
		if l.Role != "" {
			body["role"] = l.Role
		}
	case MethodUserpass:
		password := l.Password
		if password.IsZero() {
			if password, err = readSecret(l.File); err != nil {
				return "", nil, err
			}
		}
		path += "/" + l.Username
		body["password"] = password.Reveal()
	case MethodGeneric:
		path = strings.Trim(l.Path, "/")
		for name, value := range l.Parameters {
			body[name] = value.Reveal()
		}
	}
	return path, body, nil
}

// credentials returns the values in the body of a login that no error may repeat.
func credentials(body map[string]any) []secret.Secret {
	var all []secret.Secret
	for name, value := range body {
		if text, ok := value.(string); ok && name != "role" {
			all = append(all, secret.New(text))
		}
	}
	return all
}

func (l Login) jwt(ctx context.Context) (secret.Secret, error) {
	switch {
	case l.JWTSource != nil:
		return l.JWTSource(ctx)
	case !l.JWT.IsZero():
		return l.JWT, nil
	case l.File == "" && l.Method == MethodKubernetes:
		return readSecret(kubernetesTokenFile)
	default:
		return readSecret(l.File)
	}
}

// readSecret reads a file that contains only a secret.
func readSecret(file string) (secret.Secret, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return secret.Secret{}, err
	}
	value := string(bytes.TrimSpace(text))
	if !secret.IsVisible(value) {
		return secret.Secret{}, fmt.Errorf("%s holds no secret", file)
	}
	return secret.New(value), nil
}

// loginAnswer contains the fields of a login response that this package uses.
type loginAnswer struct {
	Auth struct {
		ClientToken string `json:"client_token"`
	} `json:"auth"`
}

// signIn returns a new Vault token.
func (c *Client) signIn(ctx context.Context) (secret.Secret, error) {
	l := c.session.login
	switch l.Method {
	case MethodToken:
		return l.Token, nil
	case MethodAgent:
		return secret.Secret{}, nil
	case MethodTokenFile:
		token, err := readSecret(l.File)
		if err != nil {
			return token, l.failed(err)
		}
		return token, nil
	}
	path, body, err := l.request(ctx)
	if err != nil {
		return secret.Secret{}, l.failed(err)
	}
	r := request{
		op: "calling", method: http.MethodPost, path: path, body: body,
		namespace: c.loginNamespace(), anonymous: true, secrets: credentials(body),
	}
	got, err := c.exchange(ctx, r, secret.Secret{})
	if err != nil {
		if refusedLogin(StatusOf(err)) {
			return secret.Secret{}, l.failed(err)
		}
		return secret.Secret{}, err
	}
	var login loginAnswer
	if json.Unmarshal(got.body, &login) != nil || !secret.IsVisible(login.Auth.ClientToken) {
		return secret.Secret{}, l.failed(errors.New("Vault's answer holds no token; a second factor is not supported")) //nolint:staticcheck // Vault is a name
	}
	return secret.New(login.Auth.ClientToken), nil
}

func (c *Client) loginNamespace() string {
	return cmp.Or(strings.Trim(c.session.login.Namespace, "/"), c.config.AuthNamespace)
}

// refusedLogin reports whether a status means that the login was refused. The other
// statuses mean that Vault cannot respond right now.
func refusedLogin(status int) bool {
	return status >= 400 && status < 500 && status != http.StatusTooManyRequests && status != http.StatusPreconditionFailed
}
