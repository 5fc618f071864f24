package provider

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// All settings have the same order of precedence: configuration, then environment, then
// default.

// text returns the configured string, or the first environment variable that is set.
func (s surroundings) text(configured types.String, variables ...string) string {
	if !configured.IsNull() {
		return configured.ValueString()
	}
	for _, variable := range variables {
		if value := s.getenv(variable); value != "" {
			return value
		}
	}
	return ""
}

func (s surroundings) flag(configured types.Bool, variable string) bool {
	if !configured.IsNull() {
		return configured.ValueBool()
	}
	value, err := strconv.ParseBool(s.getenv(variable))
	return err == nil && value
}

// anyUnknown reports whether a value is unknown, or contains something unknown.
func anyUnknown(ctx context.Context, values ...attr.Value) bool {
	for _, value := range values {
		raw, err := value.ToTerraformValue(ctx)
		if err != nil || !raw.IsFullyKnown() {
			return true
		}
	}
	return false
}

// apiConfig returns the PAIStrike part of the configuration.
func (s surroundings) apiConfig(ctx context.Context, m providerModel, version string) (paistrike.Config, error) {
	config := paistrike.Config{
		Endpoint:  s.text(m.Endpoint, "PAISTRIKE_ENDPOINT"),
		Prefix:    s.text(m.APIPrefix, "PAISTRIKE_API_PREFIX"),
		Token:     secret.New(s.text(m.APIToken, "PAISTRIKE_API_TOKEN")),
		UserAgent: "terraform-provider-paistrike/" + version,
		Sleep:     s.sleep,
	}
	if !m.Headers.IsNull() {
		config.Headers = map[string]string{}
		if diags := m.Headers.ElementsAs(ctx, &config.Headers, false); diags.HasError() {
			return config, errors.New("headers: a value is null")
		}
	}
	var diags diag.Diagnostics
	if config.Auth, diags = authOf(ctx, m.Auth); diags.HasError() {
		return config, errors.New("auth: the block cannot be read")
	}
	if config.Routes, diags = routesOf(ctx, m.APIRoutes); diags.HasError() {
		return config, errors.New("api_routes: the block cannot be read")
	}
	switch {
	case config.Endpoint == "":
		return config, errors.New("endpoint is not set: write it in the provider block or set PAISTRIKE_ENDPOINT. There is no default, because the management token is sent there")
	case config.Token.IsZero():
		return config, errors.New("api_token is not set: write it in the provider block or set PAISTRIKE_API_TOKEN")
	}
	return config, config.Validate()
}

// vaultConfig returns the Vault part of the configuration.
func (s surroundings) vaultConfig(ctx context.Context, object types.Object, version string) (vault.Config, error) {
	var m vaultModel
	if !object.IsNull() {
		if diags := object.As(ctx, &m, basetypes.ObjectAsOptions{}); diags.HasError() {
			return vault.Config{}, errors.New("vault: the block cannot be read")
		}
	}
	config := vault.Config{
		Address:       s.text(m.Address, "VAULT_ADDR"),
		Namespace:     s.text(m.Namespace, "VAULT_NAMESPACE"),
		CACertFile:    s.text(m.CACertFile, "VAULT_CACERT"),
		CACertDir:     s.text(m.CACertDir, "VAULT_CAPATH"),
		TLSServerName: s.text(m.TLSServerName, "VAULT_TLS_SERVER_NAME"),
		SkipTLSVerify: s.flag(m.SkipTLSVerify, "VAULT_SKIP_VERIFY"),
		Identity:      s.text(m.Identity, "PAISTRIKE_VAULT_IDENTITY"),
		UserAgent:     "terraform-provider-paistrike/" + version,
		Sleep:         s.sleep,
	}
	if !m.FormerIdentities.IsNull() {
		if diags := m.FormerIdentities.ElementsAs(ctx, &config.FormerIdentities, false); diags.HasError() {
			return config, errors.New("vault.former_identities: a value is null")
		}
	}
	if config.Address == "" {
		return config, errors.New("vault.address is not set: write it in the provider block or set VAULT_ADDR")
	}
	retries := m.MaxRetries
	if env := s.getenv("VAULT_MAX_RETRIES"); retries.IsNull() && env != "" {
		number, err := strconv.Atoi(env)
		if err != nil || number < 0 {
			return config, errors.New("VAULT_MAX_RETRIES is not a number of 0 or more")
		}
		retries = types.Int64Value(int64(number))
	}
	if !retries.IsNull() {
		config.MaxRetries = int(retries.ValueInt64())
		if config.MaxRetries == 0 {
			config.MaxRetries = -1
		}
	}
	var err error
	if config.Login, err = s.login(ctx, m); err != nil {
		return config, err
	}
	if cert, key := s.getenv("VAULT_CLIENT_CERT"), s.getenv("VAULT_CLIENT_KEY"); cert != "" && key != "" {
		if config.ClientCertPEM, err = readText("VAULT_CLIENT_CERT", cert); err != nil {
			return config, err
		}
		if config.ClientKeyPEM, err = readText("VAULT_CLIENT_KEY", key); err != nil {
			return config, err
		}
	}
	return config, nil
}

// login returns the only method in the vault block, or the token.
func (s surroundings) login(ctx context.Context, m vaultModel) (vault.Login, error) {
	var found []string
	var login vault.Login
	use := func(name string, l vault.Login) {
		found = append(found, "vault."+name)
		login = l
	}
	if a := m.AuthLogin; a != nil {
		parameters := map[string]string{}
		if diags := a.Parameters.ElementsAs(ctx, &parameters, false); diags.HasError() && !a.Parameters.IsNull() {
			return login, errors.New("vault.auth_login.parameters: a value is null")
		}
		secrets := map[string]secret.Secret{}
		for name, value := range parameters {
			secrets[name] = secret.New(value)
		}
		use("auth_login", vault.Login{Method: "generic", Path: a.Path.ValueString(), Namespace: a.Namespace.ValueString(), Parameters: secrets})
	}
	if a := m.AuthLoginAppRole; a != nil {
		use("auth_login_approle", vault.Login{Method: "approle", Mount: a.Mount.ValueString(), Namespace: a.Namespace.ValueString(), RoleID: a.RoleID.ValueString(), SecretID: secret.New(a.SecretID.ValueString())})
	}
	if a := m.AuthLoginJWT; a != nil {
		jwt := s.text(a.JWT, "TERRAFORM_VAULT_AUTH_JWT", "TFC_WORKLOAD_IDENTITY_TOKEN")
		use("auth_login_jwt", vault.Login{Method: "jwt", Mount: a.Mount.ValueString(), Namespace: a.Namespace.ValueString(), Role: a.Role.ValueString(), JWT: secret.New(jwt)})
	}
	if a := m.AuthLoginKubernetes; a != nil {
		use("auth_login_kubernetes", vault.Login{Method: "kubernetes", Mount: a.Mount.ValueString(), Namespace: a.Namespace.ValueString(), Role: a.Role.ValueString(), File: a.JWTFile.ValueString()})
	}
	if a := m.AuthLoginUserpass; a != nil {
		password, err := a.Password.ValueString(), error(nil)
		if file := a.PasswordFile.ValueString(); file != "" {
			if password, err = readText("vault.auth_login_userpass.password_file", file); err != nil {
				return login, err
			}
		}
		use("auth_login_userpass", vault.Login{Method: "userpass", Mount: a.Mount.ValueString(), Namespace: a.Namespace.ValueString(), Username: a.Username.ValueString(), Password: secret.New(strings.TrimRight(password, "\r\n"))})
	}
	if a := m.AuthLoginTokenFile; a != nil {
		use("auth_login_token_file", vault.Login{Method: "token_file", File: s.text(a.Filename, "TERRAFORM_VAULT_TOKEN_FILENAME")})
	}
	if m.AuthLoginAgent != nil {
		use("auth_login_agent", vault.Login{Method: vault.MethodAgent})
	}
	switch len(found) {
	case 0:
		return s.tokenLogin(m.Token)
	case 1:
		return login, nil
	}
	return login, errors.New(strings.Join(found, " and ") + " are both set: choose one way to log in")
}

// tokenLogin returns the configured token, or the one that "vault login" stored.
func (s surroundings) tokenLogin(configured types.String) (vault.Login, error) {
	if token := s.text(configured, "VAULT_TOKEN"); token != "" {
		return vault.Login{Method: "token", Token: secret.New(token)}, nil
	}
	if home, err := s.homeDir(); err == nil {
		file := filepath.Join(home, ".vault-token")
		if _, err := os.Stat(file); err == nil {
			return vault.Login{Method: "token_file", File: file}, nil
		}
	}
	return vault.Login{}, errors.New("no login to Vault is configured: set vault.token (VAULT_TOKEN) or one vault.auth_login block in the provider block")
}

// readText reads a small file. The error contains the name of the setting, and never the
// content.
func readText(setting, file string) (string, error) {
	raw, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		return "", errors.New(setting + ": " + err.Error())
	}
	return string(raw), nil
}

// readTokenPolicy reads the guard rails. They cannot be enforced while they are unknown.
func readTokenPolicy(ctx context.Context, object types.Object) (tokenPolicy, error) {
	if object.IsNull() || anyUnknown(ctx, object) {
		return tokenPolicy{allowNever: true}, nil
	}
	var m tokenPolicyModel
	if diags := object.As(ctx, &m, basetypes.ObjectAsOptions{}); diags.HasError() {
		return tokenPolicy{}, errors.New("token_policy: the block cannot be read")
	}
	p := tokenPolicy{set: true, allowNever: m.AllowNever.ValueBool()}
	var err error
	if text := m.MaxExpiresIn.ValueString(); text != "" {
		if p.maxExpiresIn, err = schedule.ParseDuration(text); err != nil {
			return p, errors.New("token_policy.max_expires_in: " + err.Error())
		}
	}
	if text := m.WarnBefore.ValueString(); text != "" {
		if p.warnBefore, err = schedule.ParseDuration(text); err != nil {
			return p, errors.New("token_policy.warn_before: " + err.Error())
		}
	}
	return p, nil
}
