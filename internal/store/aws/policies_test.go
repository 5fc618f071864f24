package aws_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/aws"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

var parties = []string{"provisioner", "rotator", "auditor", "plan-only", "consumer"}

// party returns the credentials of a party.
func party(name string) aws.Credentials {
	id := "AKIA" + strings.ToUpper(strings.ReplaceAll(name, "-", "")) + "0000000000"
	return aws.Credentials{AccessKeyID: id, SecretAccessKey: secret.New(name)}
}

// TestPublishedPolicies shows that each party can do its work with the published policy,
// and is refused everything else.
func TestPublishedPolicies(t *testing.T) {
	t.Parallel()
	server := startAWS(t)
	var users []testparts.AWSUser
	for _, name := range parties {
		users = append(users, testparts.AWSUser{
			Name: name, AccessKeyID: party(name).AccessKeyID, SecretAccessKey: name, Policies: []json.RawMessage{testparts.PublishedAWSPolicy(t, name)},
		})
	}
	server.AddIdentities(testparts.AWSIdentities{Users: users})
	w := newWorld(t, server, "ci/paistrike")
	other := *w
	other.at.Path = "other/paistrike"
	other.create()
	may := func(name string, allowed bool, w *world, act func(w *world) error) {
		t.Helper()
		as := *w
		as.as = party(name)
		err := act(&as)
		if (err == nil) != allowed {
			t.Errorf("%s: allowed %t, want %t: %v", name, err == nil, allowed, err)
		}
		if said, ok := errors.AsType[*rotation.Error](err); ok && said.Code != "PS322" && said.Code != "PS604" {
			t.Errorf("%s: %v", name, err)
		}
	}
	run := func(wish rotation.Wish, reason schedule.Reason) func(*world) error {
		return func(w *world) error { return w.running(wish, reason)(w.engine(w.wire())) }
	}
	create, rotate := run(rotation.Rotate, schedule.ReasonCreated), run(rotation.Rotate, schedule.ReasonTriggers)
	look := func(w *world) error { _, err := w.engine(w.wire()).Look(t.Context(), w.at); return err }
	list := func(w *world) error {
		_, _, err := w.store(w.wire()).List(t.Context(), entry.Location{Path: "ci"})
		return err
	}
	read := func(w *world) error { _, err := w.store(w.wire()).Read(t.Context(), w.at); return err }
	destroy := func(w *world) error {
		_, err := w.engine(w.wire()).Destroy(context.Background(), rotation.DestroyRequest{At: w.at, Owner: "resource-1", Ending: entry.EndDelete})
		return err
	}
	for _, name := range []string{"rotator", "auditor", "plan-only", "consumer"} {
		may(name, false, w, create)
	}
	may("provisioner", true, w, create)
	may("provisioner", true, w, look)
	for _, name := range parties {
		may(name, name == "provisioner" || name == "rotator", w, rotate)
		may(name, name != "consumer", w, look)
		may(name, name == "rotator" || name == "auditor", w, list)
		may(name, false, &other, look)
		may(name, false, &other, read)
	}
	untag := func(key, value string) func(w *world) error {
		return func(w *world) error {
			return w.store(w.wire()).Retag(t.Context(), w.at, map[string]string{key: value})
		}
	}
	w.tag(map[string]string{"team": "blue"})
	for _, name := range []string{"rotator", "auditor", "plan-only", "consumer", "provisioner"} {
		may(name, name == "provisioner", w, untag("team", "blue"))
	}
	may("provisioner", false, w, untag("managed_by", "paistrike"))
	may("provisioner", false, w, untag("paistrike_state", "active"))
	consume := func(w *world) error { _, err := w.store(w.wire()).ReadField(t.Context(), w.at); return err }
	may("consumer", true, w, consume)
	may("plan-only", false, w, consume)
	may("consumer", false, &other, consume)
	w.deleteByHand()
	may("rotator", true, w, run(rotation.IfDue, schedule.ReasonNone)) // which restores it
	for _, name := range []string{"rotator", "auditor", "plan-only", "consumer"} {
		may(name, false, w, destroy)
	}
	may("provisioner", true, w, destroy)
	may("provisioner", true, w, create)
}

// githubIssuer is GitHub's identity provider with the test's own key.
type githubIssuer struct{ key *ecdsa.PrivateKey }

func encode(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func newGitHub(t *testing.T) githubIssuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return githubIssuer{key}
}

func (g githubIssuer) identities(t *testing.T) []testparts.AWSIssuer {
	t.Helper()
	point, err := g.key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	set := fmt.Sprintf(`{"keys":[{"kty":"EC","kid":"k","crv":"P-256","x":%q,"y":%q}]}`, encode(point[1:33]), encode(point[33:]))
	return []testparts.AWSIssuer{testparts.GitHub(json.RawMessage(set))}
}

// token returns the token that GitHub issues to a job of a repository and an environment.
func (g githubIssuer) token(t *testing.T, repositoryID, environment string) secret.Secret {
	t.Helper()
	claims := fmt.Sprintf(`{"iss":%q,"aud":"sts.amazonaws.com","sub":"repo:acme@1234/deploy@%s:environment:%s","repository_id":%q,"environment":%q,"iat":%d,"exp":%d}`,
		testparts.GitHubIssuer, repositoryID, environment, repositoryID, environment, firstDay.Unix(), firstDay.Unix()+300)
	text := encode([]byte(`{"alg":"ES256","kid":"k","typ":"JWT"}`)) + "." + encode([]byte(claims))
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, g.key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	var signature [64]byte
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return secret.New(text + "." + encode(signature[:]))
}

// TestRoleByGitHubsToken shows that a job can log in with GitHub's token alone, if it
// belongs to the repository and the environment that the published trust policy names.
func TestRoleByGitHubsToken(t *testing.T) {
	t.Parallel()
	hub := newGitHub(t)
	server := startAWS(t, testparts.WithAWSIdentities(testparts.AWSIdentities{
		Issuers: hub.identities(t),
		Roles:   []testparts.AWSRole{{Name: "paistrike-rotator", Policies: []json.RawMessage{testparts.PublishedAWSPolicy(t, "rotator")}, Trust: testparts.PublishedAWSPolicy(t, "github-trust")}},
	}))
	w := newWorld(t, server, "ci/paistrike")
	w.create()
	for _, test := range []struct {
		repository, environment string
		allowed                 bool
	}{{"123456", "paistrike", true}, {"654321", "paistrike", false}, {"123456", "", false}, {"123456", "other", false}} {
		s := aws.New(aws.Config{
			Region: region, Endpoint: server.Endpoint, STSEndpoint: server.Endpoint, Now: w.now, Sleep: noSleep,
			AssumeRoleWithWebIdentity: &aws.WebIdentity{
				ARN:   "arn:aws:iam::123456789012:role/paistrike-rotator",
				Fetch: func() (secret.Secret, error) { return hub.token(t, test.repository, test.environment), nil },
			},
		})
		_, err := s.Look(t.Context(), w.at)
		if (err == nil) != test.allowed {
			t.Errorf("%+v: %v", test, err)
		}
		if !test.allowed {
			expectCode(t, err, "PS323")
		}
	}
}
