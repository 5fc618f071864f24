package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// names lists all secrets, page by page.
func (w *world) names(in sm.ListSecretsInput) (list []string, pages int) {
	w.Helper()
	for all := sm.NewListSecretsPaginator(w.client(), &in); all.HasMorePages(); pages++ {
		page, err := all.NextPage(w.Context())
		for _, entry := range must(w.T, page, err).SecretList {
			list = append(list, *entry.Name)
		}
	}
	return list, pages
}

func where(key types.FilterNameStringType, values ...string) types.Filter {
	return types.Filter{Key: key, Values: values}
}

// "Maximum value of 100" per page.
func TestListPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	for n := range 250 {
		w.advance(time.Second)
		_, err := w.client().CreateSecret(t.Context(), &sm.CreateSecretInput{Name: aws.String(fmt.Sprintf("s%03d", n))})
		if err != nil {
			t.Fatal(err)
		}
	}
	list, pages := w.names(sm.ListSecretsInput{SortOrder: types.SortOrderTypeAsc})
	if len(list) != 250 || pages != 3 || list[0] != "s000" || !slices.IsSorted(list) {
		t.Errorf("%d secrets on %d pages, the first %s", len(list), pages, list[0])
	}
	list, pages = w.names(sm.ListSecretsInput{MaxResults: aws.Int32(60), Filters: []types.Filter{where("name", "s1")}})
	if len(list) != 100 || pages != 2 || list[0] != "s199" {
		t.Errorf("%d secrets on %d pages, the first %s", len(list), pages, list[0])
	}
	for _, token := range []string{"x", "-1", "0", "999"} {
		_, err := w.client().ListSecrets(t.Context(), &sm.ListSecretsInput{NextToken: &token})
		if got := refusal(err); got != invalidNextToken {
			t.Errorf("token %s: %q", token, got)
		}
	}
}

func TestListFilters(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	for _, s := range []struct{ name, description, tag string }{
		{"ci/Deploy", "My Secret of CI", "managed_by=paistrike"},
		{"ci/scan", "", "managed_by=hand"},
		{"prod/credsDatabase892", "", "Team=CI"},
	} {
		_, err := w.client().CreateSecret(t.Context(), &sm.CreateSecretInput{Name: &s.name, Description: &s.description, Tags: pairs(s.tag)})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		rule    string
		filters []types.Filter
		want    string
	}{
		{"name: Prefix match, case-sensitive.", []types.Filter{where("name", "ci/")}, "ci/Deploy ci/scan"},
		{"name: Prefix match, case-sensitive.", []types.Filter{where("name", "ci/d")}, ""},
		{"name: Prefix match, case-sensitive.", []types.Filter{where("name", "scan")}, ""},
		{"tag-key: Prefix match, case-sensitive.", []types.Filter{where("tag-key", "managed")}, "ci/Deploy ci/scan"},
		{"tag-key: Prefix match, case-sensitive.", []types.Filter{where("tag-key", "team")}, ""},
		{"tag-value: Prefix match, case-sensitive.", []types.Filter{where("tag-value", "pai")}, "ci/Deploy"},
		{"description: Prefix match, not case-sensitive.", []types.Filter{where("description", "my secret")}, "ci/Deploy"},
		{"primary-region: Prefix match, case-sensitive.", []types.Filter{where("primary-region", "eu-")}, "ci/Deploy ci/scan prod/credsDatabase892"},
		{"owning-service: Prefix match, case-sensitive.", []types.Filter{where("owning-service", "rds")}, ""},
		{"all: Breaks the filter value string into words and then searches all attributes for matches. Not case-sensitive.",
			[]types.Filter{where("all", "deploy")}, "ci/Deploy"},
		{"all: …", []types.Filter{where("all", "secret database")}, "ci/Deploy prod/credsDatabase892"},
		{"all: …", []types.Filter{where("all", "ci")}, "ci/Deploy ci/scan prod/credsDatabase892"},
		{"all: …", []types.Filter{where("all", "data")}, ""},
		{"prefix your search value with an exclamation mark (!) in order to perform negation filters.",
			[]types.Filter{where("tag-value", "!paistrike")}, "ci/scan prod/credsDatabase892"},
		{"all filters have to match, and one value of each", []types.Filter{where("name", "ci/", "prod/"), where("tag-value", "hand", "CI")}, "ci/scan prod/credsDatabase892"},
	} {
		list, _ := w.names(sm.ListSecretsInput{Filters: c.filters})
		slices.Sort(list)
		if got := strings.Join(list, " "); got != c.want {
			t.Errorf("%s %v: %q, want %q", c.rule, c.filters[0].Values, got, c.want)
		}
	}
}

// "entering the search term credsDatabase#892 searches for creds, Database, and 892".
func TestWords(t *testing.T) {
	t.Parallel()
	if got := words("credsDatabase#892"); !slices.Equal(got, []string{"creds", "database", "892"}) {
		t.Errorf("words %v", got)
	}
	if got := words("My_Secret"); !slices.Equal(got, []string{"my", "secret"}) {
		t.Errorf("words %v", got)
	}
}

// "Specifies whether to include secrets scheduled for deletion. By default, secrets
// scheduled for deletion aren't included".
func TestListOfDeletedSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	w.create("kept")
	w.create("deleted")
	if _, err := w.remove("deleted", 7); err != nil {
		t.Fatal(err)
	}
	if list, _ := w.names(sm.ListSecretsInput{}); !slices.Equal(list, []string{"kept"}) {
		t.Errorf("without %v", list)
	}
	list, _ := w.names(sm.ListSecretsInput{IncludePlannedDeletion: aws.Bool(true)})
	if slices.Sort(list); !slices.Equal(list, []string{"deleted", "kept"}) {
		t.Errorf("with %v", list)
	}
}

// "ListSecrets is eventually consistent, however it might not reflect changes from the
// last five minutes. To get the latest information for a specific secret, use
// DescribeSecret".
func TestListIsBehind(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	if err := w.set([]byte(`{"list_lag":"5m"}`)); err != nil {
		t.Fatal(err)
	}
	shown := func() string {
		out, err := w.client().ListSecrets(t.Context(), &sm.ListSecretsInput{})
		var list []string
		for _, entry := range must(t, out, err).SecretList {
			line := *entry.Name
			for _, tag := range entry.Tags {
				line += " " + *tag.Key + "=" + *tag.Value
			}
			list = append(list, line)
		}
		return strings.Join(list, ", ")
	}
	expect := func(want string) {
		t.Helper()
		if got := shown(); got != want {
			t.Errorf("ListSecrets shows %q, want %q", got, want)
		}
	}
	w.create("a")
	expect("")
	w.advance(5 * time.Minute)
	expect("a")
	if err := w.tag("a", pairs("k=v")...); err != nil {
		t.Fatal(err)
	}
	expect("a")
	if got := w.tagsOf("a"); got != "k=v" {
		t.Errorf("DescribeSecret shows %q", got)
	}
	w.advance(5 * time.Minute)
	expect("a k=v")
	_, err := w.client().DeleteSecret(t.Context(), &sm.DeleteSecretInput{SecretId: aws.String("a"), ForceDeleteWithoutRecovery: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	expect("a k=v")
	w.advance(5 * time.Minute)
	expect("")
	if err := w.set([]byte(`{"list_lag":"61m"}`)); err == nil {
		t.Error("a lag of 61 minutes was taken")
	}
}

func TestListOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	for _, name := range []string{"b", "c", "a"} {
		w.create(name)
		w.advance(time.Minute)
	}
	if err := w.tag("b", pairs("k=v")...); err != nil { // last change
		t.Fatal(err)
	}
	w.advance(day)
	if _, err := w.client().GetSecretValue(t.Context(), &sm.GetSecretValueInput{SecretId: aws.String("c")}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		by    types.SortByType
		order types.SortOrderType
		want  string
	}{
		{"", "", "a c b"}, {types.SortByTypeCreatedDate, types.SortOrderTypeAsc, "b c a"}, {types.SortByTypeName, types.SortOrderTypeAsc, "a b c"},
		{types.SortByTypeName, types.SortOrderTypeDesc, "c b a"}, {types.SortByTypeLastChangedDate, types.SortOrderTypeDesc, "b a c"},
		{types.SortByTypeLastAccessedDate, types.SortOrderTypeDesc, "c b a"},
	} {
		list, _ := w.names(sm.ListSecretsInput{SortBy: c.by, SortOrder: c.order})
		if got := strings.Join(list, " "); got != c.want {
			t.Errorf("by %q, %q: %s, want %s", c.by, c.order, got, c.want)
		}
	}
}

// An entry of ListSecrets has enough data to skip secrets that a rotation need not read:
// tags, labels and times.
func TestListEntry(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	w.create("a")
	if err := w.tag("a", pairs("k=v")...); err != nil {
		t.Fatal(err)
	}
	w.advance(time.Hour)
	if _, err := w.client().GetSecretValue(t.Context(), &sm.GetSecretValueInput{SecretId: aws.String("a")}); err != nil {
		t.Fatal(err)
	}
	out, err := w.client().ListSecrets(t.Context(), &sm.ListSecretsInput{})
	e := must(t, out, err).SecretList[0]
	if len(e.Tags) != 1 || e.SecretVersionsToStages[*id("1")][0] != current || !e.CreatedDate.Equal(noon) || !e.LastChangedDate.Equal(noon) {
		t.Errorf("entry %+v", e)
	}
	if want := noon.Truncate(day); e.LastAccessedDate == nil || !e.LastAccessedDate.Equal(want) {
		t.Errorf("LastAccessedDate %v, want the day alone", e.LastAccessedDate)
	}
}
