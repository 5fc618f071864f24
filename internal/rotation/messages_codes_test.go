package rotation

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
)

// meanings are all codes, each with the one thing that it means, and the summaries
// that it comes with.
var meanings = map[string]struct {
	meaning   string
	summaries []string
}{
	"PS100": {"PAIStrike refused a create", []string{"Token not created"}},
	"PS101": {"the management token is not valid", []string{"PAIStrike refused the management token"}},
	"PS102": {"the management token lacks a right", []string{"The management token may not create tokens", "The management token may not list tokens"}},
	"PS103": {"a create was repeated", []string{"Reply to a create was lost"}},
	"PS104": {"a create has no known outcome", []string{"It is unknown whether a token was created"}},
	"PS105": {"the account is full", []string{"PAIStrike refused a new token because the account's limit is reached"}},
	"PS106": {"the tokens are not all known", []string{"Token list incomplete"}},
	"PS107": {"PAIStrike is busy", []string{"PAIStrike kept answering 429"}},
	"PS108": {"PAIStrike is out of reach", []string{"PAIStrike cannot be reached"}},
	"PS109": {"a create is answered unreadably", []string{"PAIStrike's answer to a create cannot be read"}},
	"PS110": {"replies are lost again and again", []string{"Replies to creates keep getting lost"}},
	"PS201": {"a race was lost", []string{"Another run was first"}},
	"PS205": {"a publication has no known outcome", []string{"It is undecided whether Vault holds a new version", "Token created, but it is undecided whether Vault holds it"}},
	"PS206": {"the version is not the protocol's", []string{"Vault version was not written by paistrike"}},
	"PS207": {"the history was reset", []string{"History of the Vault entry was removed"}},
	"PS208": {"the entry is not ours", []string{"Vault path is not managed by paistrike"}},
	"PS209": {"the entry is another integration's", []string{"Vault path holds the token of another integration"}},
	"PS210": {"Vault refused a publication", []string{"Token created but not stored in Vault"}},
	"PS211": {"every race was lost", []string{"Other runs kept publishing first"}},
	"PS212": {"the entry is a newer release's", []string{"Vault entry was written by a newer release"}},
	"PS300": {"Vault refused for a reason of its own", []string{"Vault refused a request"}},
	"PS301": {"Vault serves nobody", []string{"Vault cannot be reached", "Vault is sealed"}},
	"PS302": {"the Vault token lacks a right", []string{"Vault token lacks a permission"}},
	"PS303": {"the mount is of the wrong kind", []string{"Vault mount is not KV version 2"}},
	"PS304": {"Vault deletes too early", []string{"Vault will delete the live token", "Vault would delete the live token"}},
	"PS305": {"Vault is busy", []string{"Vault kept answering 429"}},
	"PS306": {"the mirror is out of date", []string{"Vault custom metadata not updated"}},
	"PS307": {"the clocks are apart", []string{"PAIStrike's and Vault's clocks differ", "PAIStrike's and Vault's clocks disagree"}},
	"PS308": {"the Vault token ends too soon", []string{"Vault token expires too soon"}},
	"PS309": {"there is no Vault token", []string{"Vault login failed"}},
	"PS310": {"there is no clock", []string{"Neither server says what time it is"}},
	"PS311": {"the schedule is unreadable", []string{"Schedule in Vault cannot be read"}},
	"PS401": {"a new token does not work", []string{"New token was refused by PAIStrike"}},
	"PS402": {"windows passed unused", []string{"Rotation windows were missed"}},
	"PS403": {"another expiry was granted", []string{"PAIStrike granted another expiry"}},
	"PS404": {"the token was revoked elsewhere", []string{"Token was revoked outside Terraform"}},
	"PS501": {"a revoke failed", []string{"Old token not revoked yet"}},
	"PS502": {"an overlap was too short", []string{"Revoked token was still in use"}},
	"PS504": {"a replaced token is held", []string{"Replaced token is still in use"}},
	"PS503": {"overlaps pile up", []string{"Too many replaced tokens are still in their overlap"}},
	"PS601": {"tokens are left after a destroy", []string{"Destroy incomplete"}},
	"PS602": {"a tombstone has no known outcome", []string{"Destroy not started"}},
	"PS603": {"a tombstone is not mirrored", []string{"Destroy incomplete"}},
	"PS604": {"versions are left after a destroy", []string{"Destroy incomplete"}},
	"PS605": {"the entry is not ours to destroy", []string{"Vault entry left alone"}},
}

// worded is what messages.go words: the summaries of each code, and the functions
// that word them.
func worded(t *testing.T) (summaries map[string][]string, functions []string) {
	t.Helper()
	summaries = map[string][]string{}
	for _, declaration := range parsed(t, "messages.go").Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok {
			continue
		}
		ast.Inspect(function, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok || len(call.Args) < 3 {
				return true
			}
			if name, ok := call.Fun.(*ast.Ident); !ok || name.Name != "failure" && name.Name != "warning" {
				return true
			}
			code, summary := constant(t, call.Args[0]), constant(t, call.Args[1])
			summaries[code] = append(summaries[code], summary)
			functions = append(functions, function.Name.Name)
			return true
		})
	}
	for code, texts := range summaries {
		summaries[code] = slices.Compact(slices.Sorted(slices.Values(texts)))
	}
	return summaries, slices.Compact(slices.Sorted(slices.Values(functions)))
}

func parsed(t *testing.T, file string) *ast.File {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func constant(t *testing.T, expression ast.Expr) string {
	t.Helper()
	literal, ok := expression.(*ast.BasicLit)
	if !ok {
		t.Fatalf("a code or summary is not written out: %T", expression)
	}
	text, err := strconv.Unquote(literal.Value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestCodesAreUniquePerMeaning(t *testing.T) {
	t.Parallel()
	want, means := map[string][]string{}, map[string]string{}
	for code, m := range meanings {
		want[code] = m.summaries
		if other, taken := means[m.meaning]; taken {
			t.Errorf("%s and %s both mean that %s", code, other, m.meaning)
		}
		means[m.meaning] = code
	}
	got, _ := worded(t)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("codes (-table +messages.go):\n%s", diff)
	}
}

// A code that stands in any other file of the package is one of the table, and a
// message is worded in messages.go alone.
func TestEveryCodeIsKnown(t *testing.T) {
	t.Parallel()
	code := regexp.MustCompile(`PS[0-9]{3}`)
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), ".go") || strings.HasSuffix(file.Name(), "_test.go") {
			continue
		}
		ast.Inspect(parsed(t, file.Name()), func(node ast.Node) bool {
			literal, ok := node.(*ast.BasicLit)
			if !ok {
				return true
			}
			for _, found := range code.FindAllString(literal.Value, -1) {
				if _, known := meanings[found]; !known {
					t.Errorf("%s: %s is in no table", file.Name(), found)
				}
				if file.Name() != "messages.go" {
					t.Errorf("%s: %s is worded outside messages.go", file.Name(), found)
				}
			}
			return true
		})
	}
}

// The golden table words every function's every code and summary, and shows no
// secret.
func TestGoldenTableIsComplete(t *testing.T) {
	t.Parallel()
	want, functions := worded(t)
	got, by := map[string][]string{}, []string{}
	for _, s := range everyMessage() {
		m := s.message()
		if !slices.Contains(got[m.Code], m.Summary) {
			got[m.Code] = append(got[m.Code], m.Summary)
			slices.Sort(got[m.Code])
		}
		by = append(by, s.by)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("messages (-messages.go +table):\n%s", diff)
	}
	if diff := cmp.Diff(functions, slices.Compact(slices.Sorted(slices.Values(by)))); diff != "" {
		t.Errorf("functions (-messages.go +table):\n%s", diff)
	}
}

// A message is a summary without a full stop and sentences of detail, that name
// the place or the token they speak of.
func TestMessagesAreWellFormed(t *testing.T) {
	t.Parallel()
	// These speak of a server, a credential or a list.
	general := []string{"PS101", "PS102", "PS106", "PS108", "PS303", "PS307", "PS308", "PS310", "PS403"}
	for _, s := range everyMessage() {
		m := s.message()
		if !regexp.MustCompile(`^[A-Z][^.]*[^. ]$`).MatchString(m.Summary) {
			t.Errorf("%s: summary %q", m.Code, m.Summary)
		}
		if strings.TrimSpace(m.Detail) != m.Detail || !strings.HasSuffix(m.Detail, ".") && !strings.HasSuffix(m.Detail, ".)") && m.Code != "PS404" || strings.Contains(m.Detail, "  ") || strings.Contains(m.Detail, "%!") {
			t.Errorf("%s: detail %q", m.Code, m.Detail)
		}
		if !slices.Contains(general, m.Code) && !strings.Contains(m.Detail, "secret/") && !strings.Contains(m.Detail, "tok_") {
			t.Errorf("%s names neither an entry nor a token: %s", m.Code, m.Detail)
		}
		if strings.Contains(s.text(), canary) {
			t.Errorf("%s shows the secret", m.Code)
		}
	}
}

func TestVaultErrors(t *testing.T) {
	t.Parallel()
	var vault []string
	for _, s := range everyMessage() {
		var failure *Error
		err, _ := s.got.(error)
		if errors.As(err, &failure) && failure.Vault() {
			vault = append(vault, failure.Code)
		}
	}
	want := []string{"PS300", "PS301", "PS302", "PS305", "PS309"}
	if got := slices.Compact(slices.Sorted(slices.Values(vault))); !slices.Equal(got, want) {
		t.Errorf("Vault cannot be asked by %v, want %v", got, want)
	}
	boom := errors.New("boom")
	if err := listFailed(boom); !errors.Is(err, boom) {
		t.Error("the cause is lost")
	}
}

func TestPlaceAndInstant(t *testing.T) {
	t.Parallel()
	for want, at := range map[string]entry.Location{
		"secret/ci/paistrike":            {Mount: "secret", Path: "ci/paistrike", Key: "token"},
		"admin/secret/ci/paistrike":      {Namespace: "admin", Mount: "secret", Path: "ci/paistrike"},
		"admin/team/secret/ci/paistrike": {Namespace: "/admin/team/", Mount: "secret", Path: "ci/paistrike"},
		"kv/nested/a":                    {Mount: "kv/nested", Path: "a"},
	} {
		if got := place(at); got != want {
			t.Errorf("%+v is %q, want %q", at, got, want)
		}
	}
	for want, moment := range map[string]time.Time{
		"never":                {},
		"2026-01-05T09:00:00Z": born.In(time.FixedZone("CET", 3600)),
		"2026-01-05T09:00:01Z": born.Add(1999 * time.Millisecond),
	} {
		if got := instant(moment); got != want {
			t.Errorf("%v is %q, want %q", moment, got, want)
		}
	}
}

// The table above is in order, so that a reader finds a code.
func TestCodesBelongToASection(t *testing.T) {
	t.Parallel()
	for _, code := range slices.Sorted(maps.Keys(meanings)) {
		if !regexp.MustCompile(`^PS[1-6][0-9]{2}$`).MatchString(code) {
			t.Errorf("%s belongs to no section", code)
		}
	}
}
