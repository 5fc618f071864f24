package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	signer "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// Signatures match the vectors of AWS's Signature Version 4 test suite.
func TestSignatureVectors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, method, target, want string }{
		{"get-vanilla", http.MethodGet, "/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"post-vanilla", http.MethodPost, "/", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
		{"get-vanilla-query-order-key-case", http.MethodGet, "/?Param2=value2&Param1=value1", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, "http://example.amazonaws.com"+c.target, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Amz-Date", "20150830T123600Z")
		s, err := parseSignature("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=" + c.want)
		if err != nil {
			t.Fatal(err)
		}
		at := time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
		if err := s.verify(r, nil, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "service", at); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if err := s.verify(r, []byte("x"), "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "service", at); err == nil {
			t.Errorf("%s: another body was taken", c.name)
		}
	}
}

// signed returns a correctly signed request.
func (w *world) signed(at time.Time, service string) *http.Request {
	w.Helper()
	const body = `{"SecretId":"a"}`
	req, err := http.NewRequestWithContext(w.Context(), http.MethodPost, w.url, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	req.Header.Set("Content-Type", jsonType)
	req.Header.Set("X-Amz-Target", "secretsmanager.DescribeSecret")
	who := aws.Credentials{AccessKeyID: adminID, SecretAccessKey: adminSecret}
	if err := signer.NewSigner().SignHTTP(w.Context(), who, req, hashHex([]byte(body)), service, home, at); err != nil {
		w.Fatal(err)
	}
	return req
}

func TestSignatureIsChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	w.create("a")
	for name, c := range map[string]struct {
		spoil func(*http.Request)
		want  string
	}{
		"as it is":       {func(*http.Request) {}, ""},
		"not signed":     {func(r *http.Request) { r.Header.Del("Authorization") }, missingToken},
		"another way":    {func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }, incomplete},
		"no signature":   {func(r *http.Request) { replace(r, ", Signature=", ", Sig=") }, incomplete},
		"no scope":       {func(r *http.Request) { replace(r, "/aws4_request", "") }, incomplete},
		"no date":        {func(r *http.Request) { r.Header.Del("X-Amz-Date") }, incomplete},
		"another date":   {func(r *http.Request) { replace(r, "/20261128/", "/20261127/") }, invalidSignature},
		"another place":  {func(r *http.Request) { replace(r, home, "us-east-1") }, invalidSignature},
		"another key":    {func(r *http.Request) { replace(r, adminID, "AKIANOBODY0000000000") }, unrecognized},
		"another deed":   {func(r *http.Request) { r.Header.Set("X-Amz-Target", "secretsmanager.DeleteSecret") }, invalidSignature},
		"a header more":  {func(r *http.Request) { r.Header.Set("X-Amz-Extra", "x") }, invalidSignature},
		"another hash":   {func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD") }, invalidSignature},
		"a token more":   {func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "x") }, unrecognized},
		"another method": {func(r *http.Request) { r.Method = http.MethodPut }, unknownOperation},
		"another path":   {func(r *http.Request) { r.URL.Path = "/a" }, unknownOperation},
	} {
		req := w.signed(noon, "secretsmanager")
		c.spoil(req)
		if status, answer := w.send(req); answer["__type"] != c.want && c.want != "" || status == 200 != (c.want == "") {
			t.Errorf("%s: %d %v, want %q", name, status, answer, c.want)
		}
	}
	if status, answer := w.send(w.signed(noon, "s3")); status != 400 || answer["message"] != "Credential should be scoped to correct service: 'secretsmanager'." {
		t.Errorf("for another service: %d %v", status, answer)
	}
}

// A signature that does not cover the host is rejected, because it could be replayed to
// another host.
func TestHostIsSigned(t *testing.T) {
	t.Parallel()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Date", noon.Format(amzTime))
	for _, c := range []struct {
		headers []string
		ok      bool
	}{{[]string{"host", "x-amz-date"}, true}, {[]string{"x-amz-date"}, false}} {
		s := signature{date: "20261128", region: home, service: secretsManager, headers: c.headers}
		s.hex = s.sign(adminSecret, noon.Format(amzTime), canonicalRequest(r, c.headers, hashHex(nil)))
		if err := s.verify(r, nil, adminSecret, secretsManager, noon); (err == nil) != c.ok {
			t.Errorf("signed headers %v: %v", c.headers, err)
		}
	}
}

func replace(r *http.Request, old, with string) {
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, with, 1))
}

// A signature is valid for five minutes before and after the server's time.
func TestSignatureWindow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	w.create("a")
	for by, want := range map[time.Duration]string{
		0: "", 5 * time.Minute: "", -5 * time.Minute: "",
		5*time.Minute + time.Second:  "Signature not yet current: 20261128T120501Z is still later than 20261128T120500Z (20261128T120000Z + 5 min.)",
		-5*time.Minute - time.Second: "Signature expired: 20261128T115459Z is now earlier than 20261128T115500Z (20261128T120000Z - 5 min.)",
	} {
		status, answer := w.send(w.signed(noon.Add(by), "secretsmanager"))
		if message, _ := answer["message"].(string); message != want || status == 200 != (want == "") {
			t.Errorf("signed %s off: %d %v, want %q", by, status, answer, want)
		}
	}
}

// The SDK signs with the machine's clock and corrects itself from the Date header if the
// server's time differs.
func TestClientWithAnotherClock(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	w.create("a")
	year := noon.AddDate(1, 0, 0)
	if err := w.clock.move(move{Set: &year}); err != nil {
		t.Fatal(err)
	}
	client := sm.New(sm.Options{
		Region: home, BaseEndpoint: aws.String(w.url), Credentials: credentials.NewStaticCredentialsProvider(adminID, adminSecret, ""),
	})
	if _, err := client.DescribeSecret(t.Context(), &sm.DescribeSecretInput{SecretId: aws.String("a")}); err != nil {
		t.Error(err)
	}
}
