package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

// The limits on the number of requests hold on every machine.
func TestPromisesAreKept(t *testing.T) {
	t.Parallel()
	root, err := tfcli.Repository()
	if err != nil {
		t.Fatal(err)
	}
	_, missing := os.Stat(filepath.Join(root, ".tools", "kv"))
	if _, err := tfcli.Programs(); err != nil || missing != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err, missing)
		}
		t.Skip("NOT TESTED:", err, missing)
	}
	file := filepath.Join(t.TempDir(), "bench.json")
	var out strings.Builder
	if err := run(t.Context(), []string{"-n", "3", "-parts", "scale,walk"}, &out, file, ""); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	if err := json.Unmarshal(raw, &rows); err != nil {
		t.Fatal(err)
	}
	promised := 0
	for _, row := range rows {
		if row.promised() && *row.Met {
			promised++
		}
	}
	if promised != 10 {
		t.Errorf("%d promises are reported as kept, want 10", promised)
	}
}

func TestReportTellsAMiss(t *testing.T) {
	t.Parallel()
	var r report
	r.add("wall time", 3, "s")
	r.requests("kept", 7, 7)
	r.requests("nothing promised", 100, 0)
	if r.missed() {
		t.Error("nothing was missed yet")
	}
	r.aim("too slow", 2, "times", 1.3)
	if r.missed() {
		t.Error("a busy machine is not a broken promise")
	}
	r.requests("missed", 7.5, 7)
	var out strings.Builder
	if err := r.print(&out); err != nil || !r.missed() || !strings.Contains(out.String(), "NO") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestRequestsAreCountedByWhatTheyAreFor(t *testing.T) {
	t.Parallel()
	c := calls{}
	c.countPAIStrike("GET", "/api/v1/api-tokens")
	c.countPAIStrike("POST", "/api/v1/api-tokens")
	c.countPAIStrike("GET", "/api/v1/api-tokens/self")
	c.countPAIStrike("DELETE", "/api/v1/api-tokens/tok_1")
	c.countVault("GET", "/v1/sys/internal/ui/mounts/secret")
	c.countVault("GET", "/v1/secret/config")
	c.countVault("PUT", "/v1/secret/data/bench/1")
	c.countVault("PATCH", "/v1/secret/metadata/bench/1")
	if c.paistrike() != 4 || c.vault() != 4 || c.perToken() != 5 {
		t.Errorf("PAIStrike %d, Vault %d, per token %d in %v", c.paistrike(), c.vault(), c.perToken(), c)
	}
}

// The minimum time of a run's requests is that of the shared ones, of both servers
// concurrently, plus that of each token's, for ten tokens at a time.
func TestLatencyOfRequests(t *testing.T) {
	t.Parallel()
	c := calls{"PAIStrike GET list": 1, "Vault GET mount": 1, "PAIStrike POST create": 20, "Vault PUT data": 40}
	if got, want := c.latency(20), 50*time.Millisecond+2*(50+2*10)*time.Millisecond; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestPartsAreNamed(t *testing.T) {
	t.Parallel()
	b := &bench{}
	err := b.measure(t.Context(), "speed", nil, &report{})
	if err == nil || !strings.Contains(err.Error(), "scale, walk, fleet, distance, limit, start, action") {
		t.Errorf("got %v", err)
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	if got, err := numbers("10, 100"); err != nil || len(got) != 2 || got[1] != 100 {
		t.Errorf("got %v, %v", got, err)
	}
	for _, bad := range []string{"", "0", "ten", "10,"} {
		if _, err := numbers(bad); err == nil {
			t.Errorf("%q is taken for numbers", bad)
		}
	}
	if err := run(t.Context(), []string{"-n", "none"}, &strings.Builder{}, "", ""); err == nil || errors.Is(err, errMissed) {
		t.Errorf("got %v", err)
	}
}

// The plot is a complete document with a point for each number of entries.
func TestPlot(t *testing.T) {
	t.Parallel()
	text := plot([]sample{{10, 5 * time.Millisecond}, {100, 50 * time.Millisecond}, {1000, 480 * time.Millisecond}})
	if strings.Count(text, "<circle") != 3 || !strings.HasPrefix(text, "<svg ") || !strings.HasSuffix(text, "</svg>\n") {
		t.Errorf("%s", text)
	}
	if err := xml.Unmarshal([]byte(text), new(struct{})); err != nil {
		t.Error(err)
	}
}
