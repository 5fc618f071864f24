package provider

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"
)

type providerModel struct {
	Endpoint    types.String `tfsdk:"endpoint"`
	APIToken    types.String `tfsdk:"api_token"`
	APIPrefix   types.String `tfsdk:"api_prefix"`
	Headers     types.Map    `tfsdk:"headers"`
	Auth        types.Object `tfsdk:"auth"`
	APIRoutes   types.Object `tfsdk:"api_routes"`
	TokenPolicy types.Object `tfsdk:"token_policy"`
	PlanOnly    types.Bool   `tfsdk:"plan_without_api"`
	Vault       types.Object `tfsdk:"vault"`
	AWS         types.Object `tfsdk:"aws"`
}

type routesModel struct {
	Collection         types.String `tfsdk:"collection"`
	CreatePath         types.String `tfsdk:"create_path"`
	Item               types.String `tfsdk:"item"`
	Self               types.String `tfsdk:"self"`
	RevokeMethod       types.String `tfsdk:"revoke_method"`
	RevokePath         types.String `tfsdk:"revoke_path"`
	ListOnly           types.Bool   `tfsdk:"list_only"`
	CreateBody         types.String `tfsdk:"create_body"`
	ContentType        types.String `tfsdk:"content_type"`
	ExpiresFormat      types.String `tfsdk:"expires_format"`
	List               types.Object `tfsdk:"list"`
	Answer             types.Object `tfsdk:"answer"`
	UnauthorizedStatus types.Int64  `tfsdk:"unauthorized_status"`
}

type listRoutesModel struct {
	Items        types.String `tfsdk:"items"`
	Page         types.String `tfsdk:"page"`
	PageSize     types.Int64  `tfsdk:"page_size"`
	Size         types.String `tfsdk:"size"`
	Total        types.String `tfsdk:"total"`
	Next         types.String `tfsdk:"next"`
	DropsRevoked types.Bool   `tfsdk:"drops_revoked"`
}

type answerRoutesModel struct {
	ID         types.String `tfsdk:"id"`
	Name       types.String `tfsdk:"name"`
	Secret     types.String `tfsdk:"secret"`
	CreatedAt  types.String `tfsdk:"created_at"`
	ExpiresAt  types.String `tfsdk:"expires_at"`
	LastUsedAt types.String `tfsdk:"last_used_at"`
	Status     types.String `tfsdk:"status"`
}

type authModel struct {
	Header types.String `tfsdk:"header"`
	Scheme types.String `tfsdk:"scheme"`
}

type tokenPolicyModel struct {
	MaxExpiresIn types.String `tfsdk:"max_expires_in"`
	AllowNever   types.Bool   `tfsdk:"allow_never"`
	WarnBefore   types.String `tfsdk:"warn_before"`
}

type vaultModel struct {
	Address       types.String `tfsdk:"address"`
	Namespace     types.String `tfsdk:"namespace"`
	Token         types.String `tfsdk:"token"`
	CACertFile    types.String `tfsdk:"ca_cert_file"`
	CACertDir     types.String `tfsdk:"ca_cert_dir"`
	TLSServerName types.String `tfsdk:"tls_server_name"`
	SkipTLSVerify types.Bool   `tfsdk:"skip_tls_verify"`
	MaxRetries    types.Int64  `tfsdk:"max_retries"`

	Identity         types.String `tfsdk:"identity"`
	FormerIdentities types.List   `tfsdk:"former_identities"`

	AuthLogin           *authLoginModel           `tfsdk:"auth_login"`
	AuthLoginAppRole    *authLoginAppRoleModel    `tfsdk:"auth_login_approle"`
	AuthLoginJWT        *authLoginJWTModel        `tfsdk:"auth_login_jwt"`
	AuthLoginKubernetes *authLoginKubernetesModel `tfsdk:"auth_login_kubernetes"`
	AuthLoginUserpass   *authLoginUserpassModel   `tfsdk:"auth_login_userpass"`
	AuthLoginTokenFile  *authLoginTokenFileModel  `tfsdk:"auth_login_token_file"`
	AuthLoginAgent      *authLoginAgentModel      `tfsdk:"auth_login_agent"`
}

type authLoginModel struct {
	Path       types.String `tfsdk:"path"`
	Namespace  types.String `tfsdk:"namespace"`
	Parameters types.Map    `tfsdk:"parameters"`
}

type authLoginAppRoleModel struct {
	Mount     types.String `tfsdk:"mount"`
	Namespace types.String `tfsdk:"namespace"`
	RoleID    types.String `tfsdk:"role_id"`
	SecretID  types.String `tfsdk:"secret_id"`
}

type authLoginJWTModel struct {
	Mount     types.String `tfsdk:"mount"`
	Namespace types.String `tfsdk:"namespace"`
	Role      types.String `tfsdk:"role"`
	JWT       types.String `tfsdk:"jwt"`
}

type authLoginKubernetesModel struct {
	Mount     types.String `tfsdk:"mount"`
	Namespace types.String `tfsdk:"namespace"`
	Role      types.String `tfsdk:"role"`
	JWTFile   types.String `tfsdk:"jwt_file"`
}

type authLoginUserpassModel struct {
	Mount        types.String `tfsdk:"mount"`
	Namespace    types.String `tfsdk:"namespace"`
	Username     types.String `tfsdk:"username"`
	Password     types.String `tfsdk:"password"`
	PasswordFile types.String `tfsdk:"password_file"`
}

type authLoginTokenFileModel struct {
	Filename types.String `tfsdk:"filename"`
}

// authLoginAgentModel is empty, because the agent logs in by itself.
type authLoginAgentModel struct{}

// tokenPolicy contains the guard rails of the provider block. The zero value permits
// everything.
type tokenPolicy struct {
	set          bool
	maxExpiresIn time.Duration
	allowNever   bool
	warnBefore   time.Duration
}
