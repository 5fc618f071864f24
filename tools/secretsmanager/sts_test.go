package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	signer "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	sm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
)

const (
	github      = "https://token.actions.githubusercontent.com"
	roleCI      = "arn:aws:iam::123456789012:role/ci"
	sessionName = "a-session"
)

func (w *world) sts(options ...func(*sts.Options)) *sts.Client {
	return sts.New(sts.Options{
		Region: home, BaseEndpoint: aws.String(w.url), Retryer: aws.NopRetryer{}, HTTPClient: w.http,
		Credentials:  credentials.NewStaticCredentialsProvider(adminID, adminSecret, ""),
		HTTPSignerV4: serverTime{Signer: signer.NewSigner(), clock: &w.clock},
	}, options...)
}

// provider is an issuer of identity tokens with keys of both types.
type provider struct {
	rsa *rsa.PrivateKey
	ec  *ecdsa.PrivateKey
}

func newProvider(t *testing.T) provider {
	t.Helper()
	one, err := rsa.GenerateKey(rand.Reader, 2048)
	two, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	return provider{rsa: one, ec: two}
}

func encode(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func (p provider) issuer(t *testing.T) issuer {
	t.Helper()
	point, err := p.ec.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	set := fmt.Sprintf(`{"keys":[{"kty":"RSA","kid":"one","use":"sig","n":%q,"e":"AQAB"},{"kty":"EC","kid":"two","crv":"P-256","x":%q,"y":%q}]}`,
		encode(p.rsa.N.Bytes()), encode(point[1:33]), encode(point[33:]))
	return issuer{URL: github, Audiences: []string{"sts.amazonaws.com"}, JWKS: json.RawMessage(set)}
}

// token returns an identity token like GitHub's, with changes to its usual claims.
func (p provider) token(t *testing.T, kid string, changes map[string]any) string {
	t.Helper()
	claims := map[string]any{
		"iss": github, "aud": "sts.amazonaws.com", "sub": "repo:acme/shop:environment:production", "repository_id": "4711", "environment": "production",
		"iat": noon.Unix(), "nbf": noon.Unix(), "exp": noon.Add(5 * time.Minute).Unix(),
	}
	maps.Copy(claims, changes)
	body, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	alg := map[string]string{"one": "RS256", "two": "ES256", "three": "RS256"}[kid]
	text := encode(fmt.Appendf(nil, `{"alg":%q,"kid":%q,"typ":"JWT"}`, alg, kid)) + "." + encode(body)
	sum := sha256.Sum256([]byte(text))
	if alg == "RS256" {
		signature, err := rsa.SignPKCS1v15(rand.Reader, p.rsa, crypto.SHA256, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return text + "." + encode(signature)
	}
	r, s, err := ecdsa.Sign(rand.Reader, p.ec, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	var signature [64]byte
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return text + "." + encode(signature[:])
}

// trust parses a trust policy.
func trust(t *testing.T, list ...string) policy {
	t.Helper()
	var p policy
	if err := decodeStrictly([]byte(statements(list...)), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

const trustsGitHub = `{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"},
	"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{
		"token.actions.githubusercontent.com:aud":"sts.amazonaws.com",
		"token.actions.githubusercontent.com:repository_id":"4711",
		"token.actions.githubusercontent.com:sub":"repo:acme/shop:environment:production"}}}`

// federated returns a world with a role that jobs of one repository and environment can
// assume.
func federated(t *testing.T) (*world, provider) {
	t.Helper()
	p := newProvider(t)
	reads := document(t, statements(`{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"`+secretARN+`ci/*"}`))
	w := newWorld(t, iamConfig{
		Roles:   []role{{Name: "ci", Policies: []policy{reads}, Trust: trust(t, trustsGitHub)}},
		Issuers: []issuer{p.issuer(t)},
	})
	return w, p
}

type tokenText string

func (text tokenText) GetIdentityToken() ([]byte, error) { return []byte(text), nil }

// A job that has only its identity token can read what its role allows.
func TestRoleByIdentityToken(t *testing.T) {
	t.Parallel()
	for _, kid := range []string{"one", "two"} {
		w, p := federated(t)
		w.create("ci/a")
		w.create("prod/a")
		anonymous := w.sts(func(o *sts.Options) { o.Credentials = aws.AnonymousCredentials{} })
		job := w.client(func(o *sm.Options) {
			o.Credentials = stscreds.NewWebIdentityRoleProvider(anonymous, roleCI, tokenText(p.token(t, kid, nil)), func(o *stscreds.WebIdentityRoleOptions) {
				o.RoleSessionName = sessionName
			})
		})
		out, err := job.GetSecretValue(t.Context(), &sm.GetSecretValueInput{SecretId: aws.String("ci/a")})
		if got := *must(t, out, err).SecretString; got != "one" {
			t.Errorf("read %q", got)
		}
		_, err = job.GetSecretValue(t.Context(), &sm.GetSecretValueInput{SecretId: aws.String("prod/a")})
		if got := refusal(err); got != accessDenied || !strings.Contains(err.Error(), "User: arn:aws:sts::123456789012:assumed-role/ci/a-session is not") {
			t.Errorf("another secret: %v", err)
		}
		w.advance(time.Hour)
		held := w.lastSession()
		_, err = w.client(func(o *sm.Options) {
			o.Credentials = credentials.NewStaticCredentialsProvider(held.AccessKeyID, held.secretKey, held.sessionToken)
		}).GetSecretValue(t.Context(), &sm.GetSecretValueInput{SecretId: aws.String("ci/a")})
		if got := refusal(err); got != expiredCredential {
			t.Errorf("after an hour: %q", got)
		}
	}
}

func (w *world) lastSession() *principal {
	w.identities.mu.Lock()
	defer w.identities.mu.Unlock()
	for _, who := range w.identities.sessions {
		return who
	}
	return nil
}

func TestIdentityTokensThatAreRefused(t *testing.T) {
	t.Parallel()
	w, p := federated(t)
	stranger := newProvider(t)
	good := p.token(t, "one", nil)
	parts := strings.Split(good, ".")
	for name, c := range map[string]struct{ token, want string }{
		"as it is":           {good, ""},
		"several audiences":  {p.token(t, "one", map[string]any{"aud": []string{"sts.amazonaws.com", "x"}}), "AccessDenied"}, // one of them is not in the policy
		"azp goes for aud":   {p.token(t, "one", map[string]any{"azp": "x"}), "AccessDenied"},
		"a number":           {p.token(t, "one", map[string]any{"repository_id": 4711}), ""},
		"another repository": {p.token(t, "one", map[string]any{"repository_id": "4712"}), "AccessDenied"},
		"another branch":     {p.token(t, "one", map[string]any{"sub": "repo:acme/shop:ref:refs/heads/main"}), "AccessDenied"},
		"no repository":      {p.token(t, "one", map[string]any{"repository_id": nil}), "AccessDenied"},
		"another audience":   {p.token(t, "one", map[string]any{"aud": "https://github.com/acme"}), invalidIdentityToken},
		"another issuer":     {p.token(t, "one", map[string]any{"iss": "https://issuer.example.com"}), invalidIdentityToken},
		"expired":            {p.token(t, "one", map[string]any{"exp": noon.Unix()}), expiredCredential},
		"never expires":      {p.token(t, "one", map[string]any{"exp": nil}), invalidIdentityToken},
		"not yet":            {p.token(t, "one", map[string]any{"nbf": noon.Add(time.Hour).Unix()}), invalidIdentityToken},
		"no subject":         {p.token(t, "one", map[string]any{"sub": nil}), idpRejectedClaim},
		"another signer":     {stranger.token(t, "one", nil), invalidIdentityToken},
		"another key id":     {p.token(t, "three", nil), invalidIdentityToken},
		"no signature":       {parts[0] + "." + parts[1] + ".", invalidIdentityToken},
		"alg none":           {encode([]byte(`{"alg":"none"}`)) + "." + parts[1] + ".", invalidIdentityToken},
		"alg of another key": {encode([]byte(`{"alg":"ES256","kid":"one"}`)) + "." + parts[1] + "." + parts[2], invalidIdentityToken},
		"no token":           {"none", invalidIdentityToken},
	} {
		_, err := w.sts().AssumeRoleWithWebIdentity(t.Context(), &sts.AssumeRoleWithWebIdentityInput{
			RoleArn: aws.String(roleCI), RoleSessionName: aws.String(sessionName), WebIdentityToken: &c.token,
		})
		if got := refusal(err); got != c.want {
			t.Errorf("%s: %q, want %q (%v)", name, got, c.want, err)
		}
	}
	for _, arn := range []string{"arn:aws:iam::123456789012:role/none", "arn:aws:iam::210987654321:role/ci"} {
		_, err := w.sts().AssumeRoleWithWebIdentity(t.Context(), &sts.AssumeRoleWithWebIdentityInput{
			RoleArn: &arn, RoleSessionName: aws.String(sessionName), WebIdentityToken: &good,
		})
		if got := refusal(err); got != "AccessDenied" || !strings.HasSuffix(err.Error(), "Not authorized to perform sts:AssumeRoleWithWebIdentity") {
			t.Errorf("%s: %v", arn, err)
		}
	}
	if _, text := w.tell(http.MethodGet, "/_aws/journal", ""); strings.Contains(text, parts[1]) || strings.Contains(text, parts[2]) {
		t.Errorf("the journal has a token: %s", text)
	}
}

// A principal can assume a role if the trust policy names it or if, when the trust policy
// names the account, its own policy allows it.
func TestAssumeRole(t *testing.T) {
	t.Parallel()
	u := limitedUser(t, `{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::123456789012:role/by-account"}`)
	byAccount := `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole"}`
	byName := `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/ci"},"Action":["sts:AssumeRole"],"Condition":{"StringEquals":{"sts:ExternalId":"42"}}}`
	tagged := `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/ci"},"Action":["sts:AssumeRole","sts:TagSession"]}`
	w := newWorld(t, iamConfig{Users: []user{u}, Roles: []role{
		{Name: "by-account", Trust: trust(t, byAccount)}, {Name: "by-account-2", Trust: trust(t, byAccount)},
		{Name: "by-name", Trust: trust(t, byName)}, {Name: "other", Trust: trust(t, trustsGitHub)},
		{Name: "tagged", Trust: trust(t, tagged), MaxSessionDuration: duration(2 * time.Hour)},
	}})
	client := w.sts(func(o *sts.Options) {
		o.Credentials = credentials.NewStaticCredentialsProvider(u.AccessKeyID, u.SecretAccessKey, "")
	})
	tags := []types.Tag{{Key: aws.String("team"), Value: aws.String("ci")}}
	for _, c := range []struct {
		role string
		in   sts.AssumeRoleInput
		want string
	}{
		{"by-account", sts.AssumeRoleInput{}, ""},
		{"by-account", sts.AssumeRoleInput{Tags: tags}, "AccessDenied"}, // needs sts:TagSession
		{"by-account-2", sts.AssumeRoleInput{}, "AccessDenied"},
		{"by-name", sts.AssumeRoleInput{ExternalId: aws.String("42")}, ""},
		{"by-name", sts.AssumeRoleInput{}, "AccessDenied"},
		{"other", sts.AssumeRoleInput{}, "AccessDenied"},
		{"none", sts.AssumeRoleInput{}, "AccessDenied"},
		{"by-account", sts.AssumeRoleInput{SourceIdentity: aws.String("me")}, "AccessDenied"}, // needs sts:SetSourceIdentity
		{"by-account", sts.AssumeRoleInput{SerialNumber: aws.String("arn:aws:iam::1:mfa/me"), TokenCode: aws.String("123456")}, validationError},
		{"tagged", sts.AssumeRoleInput{Tags: tags, DurationSeconds: aws.Int32(7200)}, ""},
		{"tagged", sts.AssumeRoleInput{DurationSeconds: aws.Int32(7201)}, validationError},
		{"tagged", sts.AssumeRoleInput{DurationSeconds: aws.Int32(899)}, validationError},
		{"tagged", sts.AssumeRoleInput{RoleSessionName: aws.String("with space")}, validationError},
		{"tagged", sts.AssumeRoleInput{Policy: aws.String(`{"Version":"2012-10-17"}`)}, malformedPolicy},
		{"tagged", sts.AssumeRoleInput{PolicyArns: []types.PolicyDescriptorType{{Arn: aws.String("arn:aws:iam::aws:policy/ReadOnlyAccess")}}}, validationError},
	} {
		c.in.RoleArn = aws.String("arn:aws:iam::123456789012:role/" + c.role)
		if c.in.RoleSessionName == nil {
			c.in.RoleSessionName = aws.String(sessionName)
		}
		out, err := client.AssumeRole(t.Context(), &c.in)
		if got := refusal(err); got != c.want {
			t.Errorf("%s %+v: %q, want %q", c.role, c.in, got, c.want)
		}
		if err == nil && (*out.AssumedRoleUser.Arn != "arn:aws:sts::123456789012:assumed-role/"+c.role+"/"+sessionName || !strings.HasPrefix(*out.Credentials.AccessKeyId, "ASIA")) {
			t.Errorf("%s: %v", c.role, *out.AssumedRoleUser.Arn)
		}
	}
}

// A session has the rights of its role, as far as its session policy lets it, by the
// tags it has.
func TestRightsOfASession(t *testing.T) {
	t.Parallel()
	byTag := document(t, statements(`{"Effect":"Allow","Action":"secretsmanager:*","Resource":"`+secretARN+`${aws:PrincipalTag/team}/*"}`))
	trusted := trust(t, `{"Effect":"Allow","Principal":{"AWS":"*"},"Action":["sts:AssumeRole","sts:TagSession"]}`)
	w := newWorld(t, iamConfig{Roles: []role{{Name: "ci", Policies: []policy{byTag}, Trust: trusted}}})
	w.create("ci/a")
	w.create("prod/a")
	narrow := statements(`{"Effect":"Allow","Action":"secretsmanager:DescribeSecret","Resource":"*"}`)
	client := w.client(func(o *sm.Options) {
		o.Credentials = stscreds.NewAssumeRoleProvider(w.sts(), roleCI, func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName, o.Policy = sessionName, &narrow
			o.Tags = []types.Tag{{Key: aws.String("team"), Value: aws.String("ci")}}
		})
	})
	for id, want := range map[string]string{"ci/a": "", "prod/a": accessDenied} {
		_, err := client.DescribeSecret(t.Context(), &sm.DescribeSecretInput{SecretId: &id})
		if got := refusal(err); got != want {
			t.Errorf("describe %s: %q, want %q", id, got, want)
		}
	}
	_, err := client.GetSecretValue(t.Context(), &sm.GetSecretValueInput{SecretId: aws.String("ci/a")})
	if err == nil || !strings.HasSuffix(err.Error(), "because no session policy allows the secretsmanager:GetSecretValue action") {
		t.Errorf("read: %v", err)
	}
}

// "No permissions are required to perform this operation".
func TestWhoAmI(t *testing.T) {
	t.Parallel()
	u := limitedUser(t, `{"Effect":"Deny","Action":"*","Resource":"*"}`)
	w := newWorld(t, iamConfig{Account: "210987654321", Users: []user{u}})
	client := w.sts(func(o *sts.Options) {
		o.Credentials = credentials.NewStaticCredentialsProvider(u.AccessKeyID, u.SecretAccessKey, "")
	})
	out, err := client.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if got := must(t, out, err); *got.Arn != "arn:aws:iam::210987654321:user/ci" || *got.Account != "210987654321" || *got.UserId == "" {
		t.Errorf("%v %v %v", *got.Arn, *got.Account, *got.UserId)
	}
	for secret, want := range map[string]string{"wrong": "SignatureDoesNotMatch"} {
		_, err := w.sts(func(o *sts.Options) {
			o.Credentials = credentials.NewStaticCredentialsProvider(u.AccessKeyID, secret, "")
		}).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
		if got := refusal(err); got != want {
			t.Errorf("%s: %q, want %q", secret, got, want)
		}
	}
	_, err = w.sts(func(o *sts.Options) {
		o.Credentials = credentials.NewStaticCredentialsProvider("AKIANOBODY0000000000", "x", "")
	}).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if got := refusal(err); got != "InvalidClientTokenId" {
		t.Errorf("a key of nobody: %q", got)
	}
}
