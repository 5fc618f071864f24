package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// serve runs the program until the test ends, and returns its output up to the line with the
// address.
func serve(t *testing.T, getenv func(string) string, stdin io.Reader, args ...string) (lines []string, address string, ended <-chan error) {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	read, write := io.Pipe()
	done, finished := make(chan error, 1), make(chan struct{})
	go func() {
		done <- run(ctx, append([]string{"-listen", "127.0.0.1:0"}, args...), getenv, stdin, write, io.Discard)
		_ = write.Close()
		close(finished)
	}()
	t.Cleanup(func() { stop(); <-finished })
	for said := bufio.NewScanner(read); said.Scan(); {
		if address, ok := strings.CutPrefix(said.Text(), "secretsmanager: listening on "); ok {
			return lines, address, done
		}
		lines = append(lines, said.Text())
	}
	t.Fatalf("said %q and ended: %v", lines, <-done)
	return nil, "", nil
}

func none(string) string { return "" }

func TestEndsWithItsInput(t *testing.T) {
	t.Parallel()
	stdin, parent := io.Pipe()
	_, _, ended := serve(t, none, stdin, "-exit-on-stdin-close")
	if err := parent.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
}

func TestServesLoopbackOnly(t *testing.T) {
	t.Parallel()
	if err := run(t.Context(), []string{"-listen", "0.0.0.0:0"}, none, nil, io.Discard, io.Discard); err == nil {
		t.Error("listened to everybody")
	}
}

// Without credentials in its environment, the program generates and prints them.
func TestCredentialsOfTheAdministrator(t *testing.T) {
	t.Parallel()
	try := func(address, keyID, secret string) {
		t.Helper()
		client := sm.New(sm.Options{Region: home, BaseEndpoint: &address, Credentials: credentials.NewStaticCredentialsProvider(keyID, secret, "")})
		if _, err := client.CreateSecret(t.Context(), &sm.CreateSecretInput{Name: aws.String("a")}); err != nil {
			t.Error(err)
		}
	}
	said, address, _ := serve(t, none, nil)
	if len(said) != 1 {
		t.Fatalf("said %q", said)
	}
	words := strings.Fields(said[0])
	try(address, words[len(words)-2], words[len(words)-1])
	given := map[string]string{keyIDVariable: adminID, secretVariable: adminSecret}
	said, address, _ = serve(t, func(name string) string { return given[name] }, nil)
	if len(said) != 0 {
		t.Errorf("said %q", said)
	}
	try(address, adminID, adminSecret)
}

func TestFlags(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "iam.json")
	if err := os.WriteFile(file, []byte(`{"account":"210987654321"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	o, err := parse([]string{"-iam", file, "-list-lag", "5m", "-quotas"}, io.Discard)
	if err != nil || o.iam.Account != "210987654321" || !o.settings.Quotas {
		t.Errorf("%+v %v", o, err)
	}
	for _, wrong := range [][]string{{"-iam", file + ".none"}, {"-list-lag", "2h"}, {"-list-lag", "soon"}, {"-colour", "red"}, {"more"}} {
		if _, err := parse(wrong, io.Discard); err == nil {
			t.Errorf("%q was taken", wrong)
		}
	}
}

// The clock follows another server's, such as the sandbox's.
func TestFollowsAnotherClock(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"now": noon, "mode": "still"})
	}))
	defer other.Close()
	_, address, _ := serve(t, none, nil, "-clock-url", other.URL)
	w := &world{T: t, url: address, http: other.Client()}
	if _, text := w.tell(http.MethodGet, "/_aws/clock", ""); !strings.Contains(text, "2026-11-28T12:00:00Z") {
		t.Errorf("clock %s", text)
	}
	other.Close()
	if status, _ := w.tell(http.MethodPost, "/", ""); status != http.StatusInternalServerError {
		t.Errorf("without the other: %d", status)
	}
}
