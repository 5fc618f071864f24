package rotation_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/aws"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// awsServer is the AWS Secrets Manager row of the table: the server of
// tools/secretsmanager, its model in memory, or both.
type awsServer struct {
	t        testing.TB
	endpoint string
	key      sdk.Credentials
	format   aws.Format
	memory   *memoryAWS                // nil without a model
	genuine  *testparts.SecretsManager // nil without a server
	wire     *http.Transport

	mu    sync.Mutex
	clock time.Time // of the genuine server
}

const awsRegion = "eu-central-1"

// awsInMemory returns an AWS in memory.
func awsInMemory(format aws.Format) *awsServer {
	return &awsServer{
		endpoint: "http://127.0.0.1:2", format: format, memory: newMemoryAWS(),
		key: sdk.Credentials{AccessKeyID: "AKIAADMINISTRATOR000", SecretAccessKey: "secret-access-key-of-a-test"},
	}
}

// startAWS starts the server of tools/secretsmanager.
func startAWS(t testing.TB, format aws.Format) *awsServer {
	t.Helper()
	genuine := testparts.StartSecretsManager(t)
	s := &awsServer{
		endpoint: genuine.Endpoint, format: format, genuine: genuine, wire: &http.Transport{MaxIdleConnsPerHost: 16},
		key: sdk.Credentials{AccessKeyID: genuine.AccessKeyID, SecretAccessKey: genuine.SecretAccessKey},
	}
	t.Cleanup(s.wire.CloseIdleConnections)
	return s
}

// startAWSTwins returns a server whose every response is compared with that of the model
// in memory.
func startAWSTwins(t testing.TB, format aws.Format) *awsServer {
	t.Helper()
	s := startAWS(t, format)
	s.t, s.memory = t, newMemoryAWS()
	return s
}

func (s *awsServer) place(name string) entry.Location {
	return entry.Location{Region: awsRegion, Path: name, Key: "token"}
}

func (s *awsServer) open(w *world, wire http.RoundTripper) rotation.Store {
	store := aws.New(aws.Config{
		Region: awsRegion, Endpoint: s.endpoint, STSEndpoint: s.endpoint, Identity: w.identity, Transport: wire, Sleep: noSleep, Now: w.now,
		Credentials: &aws.Credentials{AccessKeyID: s.key.AccessKeyID, SecretAccessKey: secret.New(s.key.SecretAccessKey)},
		RetryDelay:  func(int, error) (time.Duration, error) { return 0, nil },
	})
	store.Set(w.at, aws.Settings{Format: s.format, Tags: map[string]string{"team": "blue"}})
	return store
}

// send asks the server, the model, or both. If both are asked, their responses must agree.
func (s *awsServer) send(w *world, r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	var genuine, modeled *http.Response
	var err error
	if s.memory != nil {
		modeled = s.memory.answer(r, body, w.now())
	}
	if s.genuine != nil {
		if genuine, err = s.ask(w, r, body); err != nil {
			return nil, err
		}
	}
	switch {
	case genuine == nil:
		genuine = modeled
	case modeled != nil:
		s.compare(r, genuine, modeled)
	}
	genuine.Header.Set("Date", w.now().UTC().Format(http.TimeFormat))
	return genuine, nil
}

// ask sends a request to the genuine server at the world's time. The client signed it with
// the machine's clock, so ask signs it again.
func (s *awsServer) ask(w *world, r *http.Request, body []byte) (*http.Response, error) {
	s.setClock(w.now())
	own := r.Clone(r.Context())
	own.Body = io.NopCloser(bytes.NewReader(body)) // the SDK closes its own body before the response has been read
	scope := strings.Split(r.Header.Get("Authorization"), "/")
	sum := sha256.Sum256(body)
	err := v4.NewSigner().SignHTTP(r.Context(), s.key, own, hex.EncodeToString(sum[:]), scope[3], scope[2], w.now())
	if err != nil {
		return nil, err
	}
	return s.wire.RoundTrip(own)
}

func (s *awsServer) setClock(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.clock.Equal(now) {
		s.genuine.SetClock(now)
		s.clock = now
	}
}

// compare fails the test if the model and the server respond differently.
func (s *awsServer) compare(r *http.Request, genuine, modeled *http.Response) {
	said, err := io.ReadAll(genuine.Body)
	if err != nil {
		s.t.Error(err)
	}
	genuine.Body = io.NopCloser(bytes.NewReader(said))
	told, err := io.ReadAll(modeled.Body)
	if err != nil {
		s.t.Error(err)
	}
	if want, got := awsEssence(said), awsEssence(told); genuine.StatusCode != modeled.StatusCode || want != got {
		s.t.Errorf("%s: the server answers %d %s\nthe AWS in memory %d %s", operation(r), genuine.StatusCode, want, modeled.StatusCode, got)
	}
}

// operation returns the name of the API call that a request makes.
func operation(r *http.Request) string {
	name, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "secretsmanager.")
	if !ok {
		return "STS"
	}
	return name
}

// tokened reports whether a request has a ClientRequestToken.
func tokened(r *http.Request) bool {
	return r.URL.Host != paistrikeHost && (operation(r) == "PutSecretValue" || operation(r) == "CreateSecret")
}

func (s *awsServer) served(w *world) (*entry.Record, entry.Revision) {
	return s.record(w, "AWSCURRENT")
}

// record returns the record of a version, by version ID or staging label. It asks the
// model if there is one, because the server agrees with it.
func (s *awsServer) record(w *world, version string) (*entry.Record, entry.Revision) {
	read := s.memory.read
	if s.memory == nil {
		read = s.reader(w)
	}
	value, id := read(w.at.Path, version)
	if id == "" || strings.HasSuffix(id, "-record") {
		return nil, ""
	}
	data := map[string]any{}
	if json.Unmarshal([]byte(value), &data) != nil {
		beside, _ := read(w.at.Path, id+"-record")
		if json.Unmarshal([]byte(beside), &data) != nil {
			return nil, entry.Revision(id)
		}
		data["token"] = value
	}
	record, err := entry.DecodeRecord(w.at.Key, data)
	if err != nil {
		return nil, entry.Revision(id)
	}
	return &record, entry.Revision(id)
}

// reader returns a function that reads versions from the genuine server, by ID or label.
func (s *awsServer) reader(w *world) func(path, version string) (value, id string) {
	return func(path, version string) (string, string) {
		in := &secretsmanager.GetSecretValueInput{SecretId: sdk.String(path), VersionId: sdk.String(version)}
		if strings.HasPrefix(version, "AWS") {
			in.VersionId, in.VersionStage = nil, in.VersionId
		}
		out, err := s.admin(w).GetSecretValue(context.Background(), in)
		if err != nil {
			return "", ""
		}
		return sdk.ToString(out.SecretString), sdk.ToString(out.VersionId)
	}
}

func (s *awsServer) publishes(r *http.Request) bool {
	switch operation(r) {
	case "PutSecretValue", "UpdateSecretVersionStage":
		return true
	}
	return false
}

func (s *awsServer) refusal(r *http.Request, what fault) *http.Response {
	status, code := http.StatusInternalServerError, "InternalServiceError"
	switch what {
	case tooMany:
		status, code = http.StatusBadRequest, "ThrottlingException"
	case taken:
		status, code = http.StatusBadRequest, "ResourceExistsException"
	case outage:
		status, code = http.StatusServiceUnavailable, "ServiceUnavailable"
	}
	return answer(r, status, `{"__type":"`+code+`","message":"injected"}`)
}

func (s *awsServer) faults() []fault { return append(anyFaults(), taken) }

// lies returns the responses of a replica that lags: AWS's reads are eventually
// consistent.
func (s *awsServer) lies() []lie {
	behind := func(operations ...string) func(*world, http.RoundTripper, string) http.RoundTripper {
		return func(w *world, next http.RoundTripper, _ string) http.RoundTripper {
			replica := awsInMemory(s.format)
			replica.memory = w.backend.(*awsServer).memory.clone() //nolint:forcetypeassert // it is one
			replica.memory.goBack(w.at.Path)
			return roundTripper(func(r *http.Request) (*http.Response, error) {
				if r.URL.Host != paistrikeHost && slices.Contains(operations, operation(r)) {
					return replica.send(w, r)
				}
				return next.RoundTrip(r)
			})
		}
	}
	return []lie{
		{"AWS reads a value that is behind", behind("GetSecretValue"), "", "move the label from what is current by now"},
		{"AWS reads a value and a description that are behind", behind("GetSecretValue", "DescribeSecret"), "", "put a version that is current at once"},
	}
}

// admin returns a client with all permissions.
func (s *awsServer) admin(w *world) *secretsmanager.Client {
	return secretsmanager.New(secretsmanager.Options{
		Region: awsRegion, BaseEndpoint: sdk.String(s.endpoint), HTTPClient: &http.Client{Transport: w.wire()},
		Credentials: credentials.NewStaticCredentialsProvider(s.key.AccessKeyID, s.key.SecretAccessKey, ""),
	})
}

func (s *awsServer) write(w *world, value map[string]any) {
	w.t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		w.t.Fatal(err)
	}
	_, err = s.admin(w).PutSecretValue(context.Background(), &secretsmanager.PutSecretValueInput{
		SecretId: sdk.String(w.at.Path), SecretString: sdk.String(string(text)),
	})
	w.byHand(err)
}

func (s *awsServer) goBack(w *world) {
	w.t.Helper()
	out, err := s.admin(w).DescribeSecret(context.Background(), &secretsmanager.DescribeSecretInput{SecretId: sdk.String(w.at.Path)})
	w.byHand(err)
	at := map[string]string{}
	for id, labels := range out.VersionIdsToStages {
		for _, label := range labels {
			at[label] = id
		}
	}
	_, err = s.admin(w).UpdateSecretVersionStage(context.Background(), &secretsmanager.UpdateSecretVersionStageInput{
		SecretId: sdk.String(w.at.Path), VersionStage: sdk.String("AWSCURRENT"),
		RemoveFromVersionId: sdk.String(at["AWSCURRENT"]), MoveToVersionId: sdk.String(at["AWSPREVIOUS"]),
	})
	w.byHand(err)
}

func (s *awsServer) former(w *world) *entry.Record {
	record, _ := s.record(w, "AWSPREVIOUS")
	return record
}

func (s *awsServer) label(w *world, metadata map[string]any) {
	w.t.Helper()
	var tags []types.Tag
	var gone []string
	for key, value := range metadata {
		if text, ok := value.(string); ok {
			tags = append(tags, types.Tag{Key: sdk.String(key), Value: sdk.String(text)})
		} else {
			gone = append(gone, key)
		}
	}
	if len(tags) > 0 {
		_, err := s.admin(w).TagResource(context.Background(), &secretsmanager.TagResourceInput{SecretId: sdk.String(w.at.Path), Tags: tags})
		w.byHand(err)
	}
	if len(gone) > 0 {
		_, err := s.admin(w).UntagResource(context.Background(), &secretsmanager.UntagResourceInput{SecretId: sdk.String(w.at.Path), TagKeys: gone})
		w.byHand(err)
	}
}

func (s *awsServer) clone() backend {
	other := awsInMemory(s.format)
	other.memory = s.memory.clone()
	return other
}

func (s *awsServer) remove(w *world) {
	w.t.Helper()
	_, err := s.admin(w).DeleteSecret(context.Background(), &secretsmanager.DeleteSecretInput{SecretId: sdk.String(w.at.Path)})
	w.byHand(err)
}

func (s *awsServer) restore(w *world) {
	w.t.Helper()
	_, err := s.admin(w).RestoreSecret(context.Background(), &secretsmanager.RestoreSecretInput{SecretId: sdk.String(w.at.Path)})
	w.byHand(err)
}

// byHand fails the test if a manual change fails.
func (w *world) byHand(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("by hand: %v", err)
	}
}
