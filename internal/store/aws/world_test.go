package aws_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/aws"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// firstDay is the initial time of all clocks.
var firstDay = time.Date(2027, time.January, 5, 9, 0, 0, 0, time.UTC)

const (
	day    = 24 * time.Hour
	region = "eu-central-1"
)

// world is one PAIStrike account and one AWS secret.
type world struct {
	t         testing.TB
	aws       *testparts.SecretsManager
	admin     *secretsmanager.Client
	paistrike *testparts.Account
	at        entry.Location
	settings  aws.Settings
	as        aws.Credentials
}

func startAWS(t testing.TB, options ...testparts.SecretsManagerOption) *testparts.SecretsManager {
	t.Helper()
	s := testparts.StartSecretsManager(t, options...)
	s.SetClock(firstDay)
	return s
}

func newWorld(t testing.TB, server *testparts.SecretsManager, name string) *world {
	t.Helper()
	return &world{
		t: t, aws: server, paistrike: testparts.NewAccount(t, "Terraform", firstDay),
		at:    entry.Location{Region: region, Path: name, Key: "token"},
		as:    aws.Credentials{AccessKeyID: server.AccessKeyID, SecretAccessKey: secret.New(server.SecretAccessKey)},
		admin: server.Admin(region),
	}
}

// advance moves the clocks of both servers.
func (w *world) advance(by time.Duration) {
	w.paistrike.Clock().Advance(by)
	w.aws.SetClock(w.now())
}

func (w *world) now() time.Time { return w.paistrike.Clock().Now() }

// store returns a store with its own connections over wire.
func (w *world) store(wire http.RoundTripper) *aws.Store {
	s := aws.New(aws.Config{
		Region: region, Endpoint: w.aws.Endpoint, STSEndpoint: w.aws.Endpoint, Credentials: &w.as,
		Transport: wire, Sleep: noSleep, Now: w.now,
		RetryDelay: func(int, error) (time.Duration, error) { return 0, nil },
	})
	s.Set(w.at, w.settings)
	return s
}

// engine returns the engine of a new process.
func (w *world) engine(wire http.RoundTripper) *rotation.Engine {
	return w.engineOn(w.store(wire), wire)
}

// engineOn returns an engine on a store. PAIStrike is called over the wire, if one is
// given.
func (w *world) engineOn(store rotation.Store, wires ...http.RoundTripper) *rotation.Engine {
	w.t.Helper()
	wire := w.wire()
	if len(wires) > 0 {
		wire = wires[0]
	}
	client, err := paistrike.New(paistrike.Config{
		Endpoint: "http://localhost:1", Token: secret.New(w.paistrike.Management), Transport: wire, Sleep: noSleep,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return rotation.New(rotation.PAIStrike{Client: client}, store, rotation.WithSleep(noSleep), rotation.WithNow(w.now))
}

// noSleep returns at once, with an error if the caller has given up.
func noSleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// request returns a request for a token that lasts 90 days and is replaced every 30 days.
func (w *world) request(wish rotation.Wish, reason schedule.Reason) rotation.Request {
	policy := schedule.Policy{Lifetime: 90 * day, Period: 30 * day, Overlap: day}.WithDefaults()
	return rotation.Request{
		At: w.at, Label: "CI/CD Pipeline", Policy: policy, Owner: "resource-1", Wish: wish, Reason: reason,
		Schedule: schedule.Schedule{Period: "30d", Overlap: "1d", ExpiresIn: "90d"}, MayRepublish: true,
	}
}

// run is one clean run of a new process.
func (w *world) run(r rotation.Request) rotation.Result {
	w.t.Helper()
	result, err := w.engine(w.wire()).Run(context.Background(), r)
	if err != nil {
		w.t.Fatalf("clean run: %v", err)
	}
	return result
}

func (w *world) create() rotation.Result {
	w.t.Helper()
	return w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
}

func (w *world) destroy(how entry.Ending) rotation.DestroyResult {
	w.t.Helper()
	result, err := w.engine(w.wire()).Destroy(context.Background(), rotation.DestroyRequest{At: w.at, Owner: "resource-1", Ending: how})
	if err != nil {
		w.t.Fatalf("destroy: %v", err)
	}
	return result
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// loopback sends the requests to AWS.
var loopback = &http.Transport{MaxIdleConnsPerHost: 16}

// wire returns a transport to both servers without faults.
func (w *world) wire() http.RoundTripper { return roundTripper(w.send) }

// send delivers a request: to PAIStrike in this process, or to AWS over loopback.
func (w *world) send(r *http.Request) (*http.Response, error) {
	if r.URL.Host != "localhost:1" {
		whole, err := withOwnBody(r)
		if err != nil {
			return nil, err
		}
		return loopback.RoundTrip(whole)
	}
	return w.paistrike.RoundTrip(r)
}

// withOwnBody returns the request with a copy of its body. The SDK closes the body of a
// request as soon as the response begins. On loopback, net/http may still be reading that
// body, and then closes the connection.
func withOwnBody(r *http.Request) (*http.Request, error) {
	if r.Body == nil {
		return r, nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	own := r.Clone(r.Context())
	own.Body = io.NopCloser(bytes.NewReader(body))
	return own, nil
}

// value returns what a consumer reads, or "" if nothing can be read.
func (w *world) value() (value, version string) {
	w.t.Helper()
	out, err := w.admin.GetSecretValue(context.Background(), &secretsmanager.GetSecretValueInput{SecretId: sdk.String(w.at.Path)})
	if err != nil {
		return "", ""
	}
	return sdk.ToString(out.SecretString), sdk.ToString(out.VersionId)
}

// current returns the record of the served token, or nil if there is none.
func (w *world) current() *entry.Record {
	w.t.Helper()
	value, id := w.value()
	var data map[string]any
	if json.Unmarshal([]byte(value), &data) != nil {
		out, err := w.admin.GetSecretValue(context.Background(), &secretsmanager.GetSecretValueInput{SecretId: sdk.String(w.at.Path), VersionId: sdk.String(id + "-record")})
		if err != nil || json.Unmarshal([]byte(sdk.ToString(out.SecretString)), &data) != nil || data["token"] != nil {
			return nil
		}
		data["token"] = value
	}
	record, err := entry.DecodeRecord(w.at.Key, data)
	if err != nil {
		return nil
	}
	return &record
}

// labels returns the version that each staging label is attached to.
func (w *world) labels() map[string]string {
	w.t.Helper()
	labels := map[string]string{}
	for id, stages := range w.described().VersionIdsToStages {
		for _, stage := range stages {
			labels[stage] = id
		}
	}
	return labels
}

func (w *world) described() *secretsmanager.DescribeSecretOutput {
	w.t.Helper()
	out, err := w.admin.DescribeSecret(context.Background(), &secretsmanager.DescribeSecretInput{SecretId: sdk.String(w.at.Path)})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// move moves AWSCURRENT manually.
func (w *world) move(from, to string) {
	w.t.Helper()
	_, err := w.admin.UpdateSecretVersionStage(context.Background(), &secretsmanager.UpdateSecretVersionStageInput{
		SecretId: sdk.String(w.at.Path), VersionStage: sdk.String("AWSCURRENT"), RemoveFromVersionId: sdk.String(from), MoveToVersionId: sdk.String(to),
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// put writes a value manually.
func (w *world) put(value string) {
	w.t.Helper()
	_, err := w.admin.PutSecretValue(context.Background(), &secretsmanager.PutSecretValueInput{
		SecretId: sdk.String(w.at.Path), SecretString: sdk.String(value),
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// live returns the usable tokens of the entry.
func (w *world) live() []sandbox.Token {
	var live []sandbox.Token
	for _, token := range w.paistrike.Usable() {
		if name, ok := rotation.ParseName(token.Name); ok && name.Label == "CI/CD Pipeline" {
			live = append(live, token)
		}
	}
	return live
}

// accepts reports whether PAIStrike accepts a secret.
func (w *world) accepts(value secret.Secret) bool { return w.paistrike.Accepts(value.Reveal()) }

// check returns an error if the world violates an invariant of the protocol (I1, I3) while
// no run is under way.
func (w *world) check() error {
	record := w.current()
	if record == nil || record.State != entry.StateActive {
		return errors.New("no token is served")
	}
	if !w.accepts(record.Secret) {
		return errors.New("the token that is served does not work")
	}
	for _, token := range w.live() {
		retiring := slices.ContainsFunc(record.Retiring, func(r entry.Retiring) bool { return r.ID == token.ID })
		if token.ID != record.TokenID && !retiring {
			return fmt.Errorf("token %s lives and is neither current nor retiring", token.Name)
		}
	}
	return nil
}

// operation returns the name of the AWS call that a request makes, or "" for a call to
// PAIStrike.
func operation(r *http.Request) string {
	if name, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "secretsmanager."); ok {
		return name
	}
	if r.URL.Host == "localhost:1" {
		return ""
	}
	return "STS"
}

// counted records the names of calls.
type counted struct {
	next  http.RoundTripper
	mu    sync.Mutex
	calls []string
}

func (c *counted) RoundTrip(r *http.Request) (*http.Response, error) {
	name := operation(r)
	if name == "" {
		name = r.Method + " " + r.URL.Path
	}
	c.mu.Lock()
	c.calls = append(c.calls, name)
	c.mu.Unlock()
	return c.next.RoundTrip(r)
}

func (c *counted) names() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.calls)
}

// tag adds tags to the secret manually.
func (w *world) tag(tags map[string]string) {
	w.t.Helper()
	if len(tags) == 0 {
		return
	}
	in := &secretsmanager.TagResourceInput{SecretId: sdk.String(w.at.Path)}
	for key, value := range tags {
		in.Tags = append(in.Tags, types.Tag{Key: sdk.String(key), Value: sdk.String(value)})
	}
	if _, err := w.admin.TagResource(context.Background(), in); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) deleteByHand() {
	w.t.Helper()
	if _, err := w.admin.DeleteSecret(context.Background(), &secretsmanager.DeleteSecretInput{SecretId: sdk.String(w.at.Path)}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) purgeByHand() {
	w.t.Helper()
	in := &secretsmanager.DeleteSecretInput{SecretId: sdk.String(w.at.Path), ForceDeleteWithoutRecovery: sdk.Bool(true)}
	if _, err := w.admin.DeleteSecret(context.Background(), in); err != nil {
		w.t.Fatal(err)
	}
}
