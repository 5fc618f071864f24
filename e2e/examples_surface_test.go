package e2e_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

// needs skips the test if the program is too old for the example. "" means that no version of
// the product supports it.
func (w *world) needs(t *testing.T, terraform, tofu string) {
	t.Helper()
	out, err := w.tf.Run(t.Context(), "version")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^(Terraform|OpenTofu) v(\d+)\.(\d+)`).FindStringSubmatch(out.Stdout)
	if found == nil {
		t.Fatalf("no version in %q", out.Stdout)
	}
	least := terraform
	if found[1] == "OpenTofu" {
		least = tofu
	}
	var major, minor, leastMajor, leastMinor int
	fmt.Sscan(found[2]+" "+found[3], &major, &minor)                         //nolint:errcheck // digits only
	fmt.Sscan(strings.Replace(least, ".", " ", 1), &leastMajor, &leastMinor) //nolint:errcheck // ours
	if least == "" || major < leastMajor || (major == leastMajor && minor < leastMinor) {
		t.Skipf("%s %s.%s does not have this", found[1], found[2], found[3])
	}
}

func (w *world) run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := w.tf.Run(t.Context(), append(args, "-no-color")...)
	if err != nil {
		t.Fatal(err)
	}
	return out.Stdout + out.Stderr
}

// says fails the test unless text contains words, ignoring line breaks.
func says(t *testing.T, text, words string) {
	t.Helper()
	if !strings.Contains(strings.Join(strings.Fields(strings.NewReplacer("│", " ", "╷", " ", "╵", " ").Replace(text)), " "), words) {
		t.Errorf("this does not say %q:\n%s", words, text)
	}
}

// The published audits work and only read.
func TestPublishedAudits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ file, says string }{
		{"data-sources/paistrike_api_token/data-source.tf", `zapier_last_used = "2026-01-05T09:00:00Z"`},
		{"data-sources/paistrike_api_tokens/data-source.tf", `"Zapier Integration"`},
		{"data-sources/paistrike_api_tokens/data-source_check.tf", "These tokens never expire: "},
	} {
		t.Run(strings.TrimSuffix(filepath.Base(c.file), ".tf"), func(t *testing.T) {
			t.Parallel()
			eachCLI(t, func(t *testing.T, program string) {
				w := exampleWorld(t, program, sandbox.Options{Start: monday})
				_, secret := w.paistrike.Mint("Zapier Integration", time.Time{})
				if status := w.use(t, secret); status != http.StatusOK {
					t.Fatalf("the token gets %d", status)
				}
				w.paistrike.Clock().Advance(31 * day)
				w.write(t, "main.tf", published(t, c.file))
				says(t, w.run(t, "apply", "-auto-approve"), c.says)
				if w.creates() != 0 || w.active() != 1 {
					t.Errorf("%d tokens were asked for, %d are active", w.creates(), w.active())
				}
			})
		})
	}
}

// An ephemeral token works during its run and is revoked afterwards.
func TestPublishedEphemeralToken(t *testing.T) {
	t.Parallel()
	eachCLI(t, func(t *testing.T, program string) {
		w := exampleWorld(t, program, sandbox.Options{Start: monday})
		w.needs(t, "1.10", "1.11")
		w.write(t, "main.tf", published(t, "ephemeral-resources/paistrike_api_token/ephemeral-resource.tf"))
		says(t, w.run(t, "apply", "-auto-approve"), "Apply complete!")
		w.run(t, "plan")
		if w.creates() < 2 || w.active() != 0 {
			t.Errorf("%d tokens were asked for, %d are left", w.creates(), w.active())
		}
	})
}

// The query finds tokens created on the page. The configuration that it generates can be
// applied, and the next plan is empty.
func TestPublishedQuery(t *testing.T) {
	t.Parallel()
	eachCLI(t, func(t *testing.T, program string) {
		w := exampleWorld(t, program, sandbox.Options{Start: monday})
		w.needs(t, "1.14", "")
		for _, name := range []string{"CI/CD Pipeline", "Zapier Integration"} {
			w.paistrike.Mint(name, monday.Add(60*day))
		}
		w.write(t, "find.tfquery.hcl", published(t, "list-resources/paistrike_api_token/list-resource.tfquery.hcl"))
		w.run(t, "query", "-generate-config-out=adopted.tf")
		says(t, w.run(t, "apply", "-auto-approve"), "Apply complete! Resources: 2 imported, 0 added, 2 changed, 0 destroyed.")
		w.planEmpty(t)
		for _, at := range []string{"ci/ci-cd-pipeline", "ci/zapier-integration"} {
			if status := w.use(t, w.secret(t, "secret", at, "token")); status != http.StatusOK {
				t.Errorf("the secret at %s gets %d", at, status)
			}
		}
	})
}

// The action revokes the named token and reports why.
func TestPublishedAction(t *testing.T) {
	t.Parallel()
	eachCLI(t, func(t *testing.T, program string) {
		w := importWorld(t, program)
		w.needs(t, "1.14", "")
		file := published(t, "actions/paistrike_revoke_api_token/action.tf")
		w.write(t, "main.tf", file)
		command := regexp.MustCompile(`-invoke=\S+`).FindString(file)
		says(t, w.run(t, "apply", "-auto-approve", command), "Revoking token "+importedID+" (CI/CD Pipeline): found in a build log, incident 4711")
		if w.active() != 0 {
			t.Errorf("%d tokens are active", w.active())
		}
	})
}

// The action rotates the token of the named entry and revokes the previous one. The next plan
// is empty.
func TestPublishedRotateAction(t *testing.T) {
	t.Parallel()
	eachCLI(t, func(t *testing.T, program string) {
		w := exampleWorld(t, program, sandbox.Options{Start: monday})
		w.needs(t, "1.14", "")
		w.write(t, "main.tf", published(t, "resources/paistrike_api_token/resource.tf"))
		w.run(t, "apply", "-auto-approve")
		former := w.secret(t, "secret", "ci/paistrike", "token")
		file := published(t, "actions/paistrike_rotate_api_token/action.tf")
		w.write(t, "rotate.tf", file)
		w.run(t, "apply", "-auto-approve", regexp.MustCompile(`-invoke=\S+`).FindString(file))
		if status := w.use(t, former); status != http.StatusUnauthorized {
			t.Errorf("the former secret gets %d", status)
		}
		if status := w.use(t, w.secret(t, "secret", "ci/paistrike", "token")); status != http.StatusOK {
			t.Errorf("the secret gets %d", status)
		}
		w.planEmpty(t)
	})
}
