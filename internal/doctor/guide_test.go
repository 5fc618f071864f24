package doctor_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/doctor"
	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

// The guide shows the doctor's output for incomplete settings, and each fix that it names
// corrects its row.
func TestTheTableOfTheGuide(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../templates/guides/vendor-api.md.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(guide), "```\nlist ")
	want, _, found := strings.Cut("list "+rest, "```")
	if !found {
		t.Fatal("the guide shows no table")
	}
	server, cfg := service(t, "vercel")
	for i := range 11 { // 12 with the management token
		server.Mint(fmt.Sprint("token ", i), time.Time{})
	}
	mended := cfg.Routes
	cfg.Routes.UnauthorizedStatus, cfg.Routes.Answer.LastUsedAt = 0, ""
	if got := doctor.Judge(doctor.Examine(t.Context(), cfg)).String(); got != want || liveTokens(server) != 12 {
		t.Errorf("the doctor says\n%s\nand the guide\n%s", got, want)
	}
	cfg.Routes = mended
	report := doctor.Judge(doctor.Examine(t.Context(), cfg))
	for _, line := range strings.Split(report.String(), "\n") {
		if strings.Contains(line, "last use") && !strings.Contains(line, "ok") || strings.Contains(line, "failed") {
			t.Errorf("after the mend: %s", line)
		}
	}
}

// liveTokens returns the number of active tokens.
func liveTokens(server *sandbox.Server) (live int) {
	for _, token := range server.Tokens() {
		if token.Status == "active" {
			live++
		}
	}
	return live
}
