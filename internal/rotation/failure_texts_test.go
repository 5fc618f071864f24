package rotation_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// failing is a run in which something fails. It returns the messages of the run.
type failing struct {
	name string
	run  func(w *world) ([]rotation.Message, error)
}

const goldenFile = "testdata/failure_texts.golden"

var update = flag.Bool("update", false, "write the golden file anew")

// TestEveryFailureText provokes every failure and compares the complete text of the run,
// after replacing IDs, names and paths that differ between runs.
func TestEveryFailureText(t *testing.T) {
	t.Parallel()
	kv := startKV(t)
	var b strings.Builder
	for _, f := range slices.Concat(failuresOfPAIStrike(), failuresOfVault(), failuresOfEntries(), failuresOfDestroy(), failuresOfBelief()) {
		w := newWorld(t, kv)
		notes, err := f.run(w)
		fmt.Fprintf(&b, "## %s\n%s\n", f.name, w.spoken(notes, err))
	}
	if *update {
		if err := os.WriteFile(goldenFile, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(golden), "\n"), strings.Split(b.String(), "\n")); diff != "" {
		t.Errorf("go test -run TestEveryFailureText -update writes the file anew (-want +got):\n%s", diff)
	}
	var source []byte
	for _, file := range []string{"messages.go", "messages_store.go", "messages_end.go"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		source = append(source, text...)
	}
	for _, code := range regexp.MustCompile(`(?:failure|warning)\("(PS[0-9]{3})"`).FindAllStringSubmatch(string(source), -1) {
		if !strings.Contains(b.String(), " "+code[1]+": ") {
			t.Errorf("no failure here gives %s", code[1])
		}
	}
}

var (
	tokenID   = regexp.MustCompile(`tok_[A-Za-z0-9]{20}`)
	tokenName = regexp.MustCompile(`-ps1-[a-z2-7]{12}-[a-z2-7]{6}-(\d+)-[a-z2-7]{8}`)
	entryPath = regexp.MustCompile(`team-\d+/`)
)

// spoken returns the messages of a run with everything replaced that differs between runs.
// It fails the test if they contain a secret.
func (w *world) spoken(notes []rotation.Message, err error) string {
	w.t.Helper()
	var lines []string
	for _, m := range notes {
		lines = append(lines, fmt.Sprintf("warning %s: %s: %s", m.Code, m.Summary, m.Detail))
	}
	if err != nil {
		lines = append(lines, fmt.Sprintf("error %v", err))
	}
	if len(lines) == 0 {
		lines = append(lines, "(it succeeds and says nothing)")
	}
	text := strings.Join(lines, "\n") + "\n"
	secrets := []string{w.paistrike.Management, w.kv.root}
	if record, _ := w.current(); record != nil && !record.Secret.IsZero() {
		secrets = append(secrets, record.Secret.Reveal())
	}
	for _, secret := range secrets {
		if strings.Contains(text, secret) {
			w.t.Error("a message shows a secret")
		}
	}
	seen := map[string]string{}
	text = tokenID.ReplaceAllStringFunc(text, func(id string) string {
		if seen[id] == "" {
			seen[id] = fmt.Sprintf("tok_%d", len(seen)+1)
		}
		return seen[id]
	})
	text = tokenName.ReplaceAllString(text, "-ps1-SLOT-INC-$1-NONCE")
	return entryPath.ReplaceAllString(text, "team/")
}

// does performs the nth matching call.
type does func(w *world, n int, r *http.Request) (*http.Response, error)

// answers responds instead of the server.
func answers(status int, body string) does {
	return func(_ *world, _ int, r *http.Request) (*http.Response, error) { return answer(r, status, body), nil }
}

// cut never delivers a request. silent delivers it and loses the response.
func cut(*world, int, *http.Request) (*http.Response, error) { return nil, errConnection }
func silent(w *world, _ int, r *http.Request) (*http.Response, error) {
	response, err := w.send(r)
	if err == nil {
		response.Body.Close()
	}
	return nil, errConnection
}

// firstly applies do to the first calls only.
func firstly(most int, do does) does {
	return func(w *world, n int, r *http.Request) (*http.Response, error) {
		if n > most {
			return w.send(r)
		}
		return do(w, n, r)
	}
}

// where returns a wire that applies do to calls with this method whose URL contains part.
func (w *world) where(method, part string, do does) http.RoundTripper {
	met := 0
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if (method != "" && r.Method != method) || !strings.Contains(r.URL.String(), part) {
			return w.send(r)
		}
		met++
		return do(w, met, r)
	})
}

// with runs a request over a wire.
func (w *world) with(wire http.RoundTripper, request rotation.Request) ([]rotation.Message, error) {
	result, err := w.engine(wire).Run(context.Background(), request)
	return result.Notes, err
}

// atCreate and atRotation are a first and a later run in which matching calls fail.
func atCreate(method, part string, do does) func(w *world) ([]rotation.Message, error) {
	return func(w *world) ([]rotation.Message, error) {
		return w.with(w.where(method, part, do), w.request(rotation.Rotate, schedule.ReasonCreated))
	}
}

func atRotation(method, part string, do does) func(w *world) ([]rotation.Message, error) {
	return func(w *world) ([]rotation.Message, error) {
		w.create()
		w.paistrike.Clock().Advance(30 * day)
		return w.with(w.where(method, part, do), w.request(rotation.IfDue, schedule.ReasonNone))
	}
}

// create creates the first token and returns its ID.
func (w *world) create() string {
	w.t.Helper()
	return w.run(w.request(rotation.Rotate, schedule.ReasonCreated)).TokenID
}

// again rotates now.
func (w *world) again() {
	w.t.Helper()
	w.run(w.request(rotation.Rotate, schedule.ReasonForced))
}

var errRefused = errors.New("connection refused")
