package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	signer "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
)

const (
	adminID     = "AKIAADMINISTRATOR000"
	adminSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	home        = "eu-central-1"
)

// noon is the initial time of every test. The clock is stopped until the test moves it.
var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// world is a server for one test. Every request and answer is compared with AWS's model.
type world struct {
	*testing.T
	*server
	url  string
	http *http.Client // common to all clients, so that connections are reused
}

func newWorld(t *testing.T, c iamConfig) *world {
	t.Helper()
	s, err := newServer(options{iam: c}, user{Name: "administrator", AccessKeyID: adminID, SecretAccessKey: adminSecret})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.clock.move(move{Set: &noon}); err != nil {
		t.Fatal(err)
	}
	listening := httptest.NewServer(conforming(t, s))
	t.Cleanup(listening.Close)
	return &world{T: t, server: s, url: listening.URL, http: listening.Client()}
}

// conforming compares each request to Secrets Manager and its answer with the model. Requests
// that violate the model must be rejected.
func conforming(t *testing.T, s http.Handler) http.Handler {
	m, err := published()
	if err != nil {
		return s // TestModelCheckerFindsWhatIsWrong reports the missing model
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		operation, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "secretsmanager.")
		if _, known := m.Operations[operation]; !ok || !known {
			s.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		got := httptest.NewRecorder()
		s.ServeHTTP(got, r)
		var input any
		wrong := []string{"no JSON"}
		if json.Unmarshal(body, &input) == nil {
			wrong = m.check(m.Operations[operation].Input.Shape, operation, input)
		}
		if wrong != nil && got.Code == http.StatusOK {
			t.Errorf("%s was answered, but the model says of the request: %s", operation, strings.Join(wrong, "; "))
		}
		if wrong := m.checkAnswer(operation, got.Code, got.Header().Get("X-Amzn-Errortype"), got.Body.Bytes()); wrong != nil {
			t.Errorf("%s: answer: %s", operation, strings.Join(wrong, "; "))
		}
		for name, values := range got.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(got.Code)
		_, _ = w.Write(got.Body.Bytes())
	})
}

// client returns the official SDK with the administrator's credentials, or with others. It does
// not retry.
func (w *world) client(options ...func(*sm.Options)) *sm.Client {
	return sm.New(sm.Options{
		Region: home, BaseEndpoint: aws.String(w.url), Retryer: aws.NopRetryer{}, HTTPClient: w.http,
		Credentials:  credentials.NewStaticCredentialsProvider(adminID, adminSecret, ""),
		HTTPSignerV4: serverTime{Signer: signer.NewSigner(), clock: &w.clock},
	}, options...)
}

// serverTime signs with the server's time, even if the test has moved it.
type serverTime struct {
	*signer.Signer
	clock *clock
}

func (s serverTime) SignHTTP(
	ctx context.Context, who aws.Credentials, r *http.Request, payload, service, region string, _ time.Time, options ...func(*signer.SignerOptions),
) error {
	now, err := s.clock.now(ctx)
	if err != nil {
		return err
	}
	return s.Signer.SignHTTP(ctx, who, r, payload, service, region, now, options...)
}

// as signs with other credentials.
func as(u user) func(*sm.Options) {
	return func(o *sm.Options) {
		o.Credentials = credentials.NewStaticCredentialsProvider(u.AccessKeyID, u.SecretAccessKey, "")
	}
}

func (w *world) advance(d time.Duration) {
	w.Helper()
	by := duration(d)
	if err := w.clock.move(move{Advance: &by}); err != nil {
		w.Fatal(err)
	}
}

// raw sends one operation unmodified, signed by the SDK with the server's time, and returns the
// answer.
func (w *world) raw(operation, body string) (int, map[string]any) {
	w.Helper()
	req, err := http.NewRequestWithContext(w.Context(), http.MethodPost, w.url, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	req.Header.Set("Content-Type", jsonType)
	req.Header.Set("X-Amz-Target", "secretsmanager."+operation)
	now, err := w.clock.now(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	who := aws.Credentials{AccessKeyID: adminID, SecretAccessKey: adminSecret}
	if err := signer.NewSigner().SignHTTP(w.Context(), who, req, hashHex([]byte(body)), "secretsmanager", home, now); err != nil {
		w.Fatal(err)
	}
	return w.send(req)
}

func (w *world) send(req *http.Request) (int, map[string]any) {
	w.Helper()
	resp, err := w.http.Do(req)
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.Fatal(err)
	}
	var answer map[string]any
	if len(text) > 0 {
		if err := json.Unmarshal(text, &answer); err != nil {
			w.Fatalf("%s: %v", text, err)
		}
	}
	return resp.StatusCode, answer
}

// refusal returns the name of the SDK's error for an answer, or "".
func refusal(err error) string {
	if known, ok := errors.AsType[smithy.APIError](err); ok {
		return known.ErrorCode()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// must returns the output of a call that must succeed.
func must[T any](t *testing.T, out T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// id returns a version ID: 32 characters that end in text.
func id(text string) *string { return aws.String(strings.Repeat("0", 32-len(text)) + text) }

// create creates a secret whose first version is id("1").
func (w *world) create(name string) *sm.CreateSecretOutput {
	w.Helper()
	out, err := w.client().CreateSecret(w.Context(), &sm.CreateSecretInput{
		Name: &name, SecretString: aws.String("one"), ClientRequestToken: id("1"),
	})
	return must(w.T, out, err)
}

// put adds a version with labels, and returns the error.
func (w *world) put(name, version, value string, labels ...string) error {
	_, err := w.client().PutSecretValue(w.Context(), &sm.PutSecretValueInput{
		SecretId: &name, ClientRequestToken: id(version), SecretString: &value, VersionStages: labels,
	})
	return err
}

// stagesOf returns the labels that DescribeSecret reports, such as "1:AWSPREVIOUS 2:AWSCURRENT".
func (w *world) stagesOf(ctx context.Context, name string) map[string]string {
	w.Helper()
	out, err := w.client().DescribeSecret(ctx, &sm.DescribeSecretInput{SecretId: &name})
	got := map[string]string{}
	for version, labels := range must(w.T, out, err).VersionIdsToStages {
		got[strings.TrimLeft(version, "0")] = strings.Join(labels, " ")
	}
	return got
}
