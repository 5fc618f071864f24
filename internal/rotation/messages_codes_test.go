package rotation

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
)

// meanings maps every code to its single meaning and the summaries that it may have.
var meanings = map[string]struct {
	meaning   string
	summaries []string
}{
	"PS100": {"PAIStrike refused a create", []string{"Token not created"}},
	"PS101": {"the management token is not valid", []string{"PAIStrike refused the management token"}},
	"PS102": {"the management token lacks a right", []string{"The management token may not create tokens", "The management token may not list tokens"}},
	"PS103": {"a create was repeated", []string{"Response with a new token was lost"}},
	"PS104": {"a create has no known outcome", []string{"It is unknown whether a token was created"}},
	"PS105": {"the account is full", []string{"PAIStrike refused to create a token because the account's limit is reached"}},
	"PS106": {"the tokens are not all known", []string{"Token list incomplete"}},
	"PS107": {"PAIStrike is busy", []string{"PAIStrike kept responding with 429"}},
	"PS108": {"PAIStrike is out of reach", []string{"PAIStrike cannot be reached"}},
	"PS109": {"a create is answered unreadably", []string{"PAIStrike's response with a new token cannot be read"}},
	"PS110": {"replies are lost again and again", []string{"Responses with new tokens keep getting lost"}},
	"PS111": {"a create is answered with another token", []string{"PAIStrike returned an existing token instead of a new one"}},
	"PS112": {"the token is not this account's", []string{"Token is not known to this PAIStrike account"}},
	"PS113": {"a token of another account is left", []string{"Token of another account is left behind"}},
	"PS201": {"a race was lost", []string{"Another run published first"}},
	"PS205": {"a publication has no known outcome", []string{"It is unknown whether the new version was stored", "Token created, but it is unknown whether it was stored"}},
	"PS206": {"the version is not the protocol's", []string{"Current version was not written by paistrike"}},
	"PS207": {"the history was reset", []string{"History of the entry was removed"}},
	"PS208": {"the entry is not ours", []string{"Entry is not managed by paistrike"}},
	"PS209": {"the entry is another's", []string{"Entry contains the token of another integration", "Entry is managed by another resource"}},
	"PS210": {"the store refused a publication", []string{"Token created but not stored"}},
	"PS211": {"every race was lost", []string{"Other runs kept publishing first"}},
	"PS212": {"the entry is a newer release's", []string{"Entry was written by a newer release"}},
	"PS213": {"the record is another store's", []string{"Entry belongs to another secret store"}},
	"PS214": {"the entry changes its owner", []string{"Entry was taken over from another resource", "Entry will be taken over from another resource"}},
	"PS215": {"another store is at work", []string{"Tokens are in use that this store never published"}},
	"PS216": {"nobody knows whether the entry is closed", []string{"It is unknown whether the entry was closed"}},
	"PS300": {"the store has no words", []string{"The secret store did not answer as expected"}},
	"PS304": {"the store deletes too early", []string{"The store will delete the live token", "The store would delete the live token"}},
	"PS306": {"the mirror is out of date", []string{"Metadata not updated"}},
	"PS307": {"the clocks are apart", []string{"Clocks disagree"}},
	"PS310": {"there is no clock", []string{"Time cannot be determined"}},
	"PS311": {"the schedule is unreadable", []string{"Schedule cannot be read"}},
	"PS316": {"time decides nothing", []string{"PAIStrike's clock disagrees with the other clocks"}},
	"PS317": {"the mirror is unreadable", []string{"Metadata of the entry cannot be read"}},
	"PS401": {"a new token does not work", []string{"PAIStrike refused the new token"}},
	"PS402": {"windows passed unused", []string{"Rotation windows were missed"}},
	"PS403": {"another expiry was granted", []string{"PAIStrike granted a different expiry"}},
	"PS404": {"the token was revoked elsewhere", []string{"Token was revoked outside Terraform"}},
	"PS501": {"a revoke failed", []string{"Old token not revoked yet"}},
	"PS502": {"an overlap was too short", []string{"Revoked token was still in use"}},
	"PS504": {"a replaced token is held", []string{"Replaced token is still in use"}},
	"PS503": {"overlaps pile up", []string{"Too many replaced tokens are still in their overlap"}},
	"PS505": {"a compromised token has ended", []string{"Compromised token was revoked"}},
	"PS506": {"a compromised token may work", []string{"Compromised token may still work"}},
	"PS601": {"tokens are left after a destroy", []string{"Destroy incomplete"}},
	"PS602": {"a tombstone has no known outcome", []string{"Destroy not started"}},
	"PS604": {"versions are left after a destroy", []string{"Destroy incomplete"}},
	"PS605": {"the entry is not ours to destroy", []string{"Entry was not changed"}},
	"PS606": {"a token is not ours to revoke", []string{"Token was not revoked"}},
	"PS607": {"the place is gone", []string{"Secrets engine of the entry no longer exists"}},
	"PS608": {"the token is the run's own", []string{"Token is in use by this run"}},
	"PS609": {"tokens are left without PAIStrike", []string{"Entry was closed without revoking its tokens"}},
	"PS610": {"metadata does not say that the entry is closed", []string{"Entry is closed, but its metadata was not updated"}},
}

// worded returns the summaries of each code in the messages files, and the functions that
// contain them.
func worded(t *testing.T) (summaries map[string][]string, functions []string) {
	t.Helper()
	summaries = map[string][]string{}
	var declarations []ast.Decl
	for _, file := range messageFiles(t) {
		declarations = append(declarations, parsed(t, file).Decls...)
	}
	for _, declaration := range declarations {
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
			if _, literal := call.Args[0].(*ast.BasicLit); !literal {
				return true // a store's own failure, whose text is in the store's package
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

// messageFiles returns the files that contain messages.
func messageFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("messages*.go")
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(files, func(file string) bool { return strings.HasSuffix(file, "_test.go") })
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

// Every code in another file of the package is in the table, and messages are worded only
// in the messages files.
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
				if !slices.Contains(messageFiles(t), file.Name()) {
					t.Errorf("%s: %s is worded outside the messages", file.Name(), found)
				}
			}
			return true
		})
	}
}

// The golden file contains every code and summary of every function, and no secret.
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

// A summary has no full stop. A detail consists of sentences and names the entry or the
// token that it is about.
func TestMessagesAreWellFormed(t *testing.T) {
	t.Parallel()
	// These are about a server, a credential or a list.
	general := []string{"PS101", "PS102", "PS106", "PS108", "PS307", "PS310", "PS403"}
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

func TestErrorsOfTheStoreAreToldApart(t *testing.T) {
	t.Parallel()
	var of []string
	for _, s := range everyMessage() {
		var failure *Error
		err, _ := s.got.(error)
		if errors.As(err, &failure) && failure.OfStore() {
			of = append(of, failure.Code)
		}
	}
	if got := slices.Compact(slices.Sorted(slices.Values(of))); !slices.Equal(got, []string{"PS300"}) {
		t.Errorf("the store cannot be asked by %v", got)
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
		if got := at.String(); got != want {
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

// The table above is sorted, so that a reader finds a code.
func TestCodesBelongToASection(t *testing.T) {
	t.Parallel()
	for _, code := range slices.Sorted(maps.Keys(meanings)) {
		if !regexp.MustCompile(`^PS[1-6][0-9]{2}$`).MatchString(code) {
			t.Errorf("%s belongs to no section", code)
		}
	}
}
