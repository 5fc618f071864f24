package rotation_test

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/proof"
)

// mutant breaks one rule of the protocol on purpose.
type mutant struct {
	name string
	file string
	old  string // the text that implements the rule, which occurs once in the file
	new  string
	by   string // the tests that must fail
}

// Patterns of the tests that together prove the protocol.
const (
	byExplorer  = "^TestExplorer$"
	bySingles   = "^TestEverySingleFault$"
	byLies      = "^TestLies$/^vault$"
	byChaos     = "^TestChaos$"
	byHandOnAWS = "^TestHandWrittenBetweenObserveAndPublish$/^aws$"
)

// mutants returns the rules that the protocol depends on, each with the proof that fails
// if the rule is broken.
func mutants() []mutant {
	return slices.Concat(mutantsOfTheWire(), mutantsOfBelief(), mutantsOfTheClient(), mutantsInChaos(), mutantsOfAWS(), mutantsOfAbandon())
}

// mutantsOfTheWire break the rules against faults and races.
func mutantsOfTheWire() []mutant {
	return []mutant{
		{"publish without check-and-set", "publish.go",
			"published, err = e.store.Publish(ctx, o.At, o.Revision, record)",
			"top, _ := e.store.Read(ctx, o.At)\n\t\tpublished, err = e.store.Publish(ctx, o.At, top.Revision, record)", byExplorer + "/^RR-"},
		{"revoke on an ambiguous write", "publish.go",
			"next, fate := e.resolveWrite(ctx, o, record.Op)",
			"if minted != nil {\n\t\t\treturn entry.Published{}, e.loseRace(ctx, o, minted, result)\n\t\t}\n\t\tnext, fate := e.resolveWrite(ctx, o, record.Op)", bySingles + "/^vault$/^rotate$"},
		{"give up, then revoke", "publish.go",
			"return entry.Published{}, publishUndecided(o, minted, record.Gen, err)\n}",
			"if minted != nil {\n\t\t_ = e.discard(ctx, *minted)\n\t}\n\treturn entry.Published{}, publishUndecided(o, minted, record.Gen, err)\n}", byExplorer + "/^R-"},
		{"resolve by the newest version", "publish.go",
			"next, err := e.store.After(ctx, o.At, o.Revision)\n\t\tswitch {\n\t\tcase err != nil:\n\t\t\tcontinue\n\t\tcase next.Condition == entry.Absent:\n\t\t\treturn \"\", fateOpen\n\t\tcase next.Record != nil && next.Record.Op == op:\n\t\t\treturn next.Revision, fateOurs\n\t\tcase next.Follows != o.Revision:",
			"next, err := e.store.Read(ctx, o.At)\n\t\tswitch {\n\t\tcase err != nil:\n\t\t\tcontinue\n\t\tcase next.Condition == entry.Absent:\n\t\t\treturn \"\", fateOpen\n\t\tcase next.Record != nil && next.Record.Op == op:\n\t\t\treturn next.Revision, fateOurs\n\t\tcase next.Revision == \"never\":", byExplorer + "/^RR-"},
		{"resolve by who is referenced", "publish.go",
			"case next.Record != nil && next.Record.Op == op:",
			"case next.Record != nil && next.Record.TokenID == \"\":", bySingles + "/^vault$/^rotate$"},
		{"forget earlier retiring tokens", "retire.go",
			"list := slices.Clone(o.retiring)", "list := slices.Clone(o.retiring)[:0]", "^TestSecondRotationKeepsBothOverlaps$"},
		{"no overlap", "retire.go",
			"RevokeAfter: now.Add(overlap)", "RevokeAfter: now", bySingles + "/^vault$/^rotate$"},
		{"sweep what may be in flight", "retire.go",
			"beaten := name.Inc == l.inc && name.Gen <= l.gen", "beaten := name.Inc == l.inc", byExplorer + "/^RS-"},
		{"destroy without a tombstone", "destroy.go",
			"if err := e.tombstone(critical, &o, nil); err != nil {", "if err := error(nil); err != nil {", byExplorer + "/^RD-1-faults$"},
		{"ignore the incarnation", "retire.go",
			"beaten := name.Inc == l.inc && name.Gen <= l.gen", "beaten := name.Gen <= l.gen+9", byExplorer + "/^RCX"},
		{"trust what a human wrote", "observe.go",
			"return o.record() != nil && ours(o.Slots, o.record().Slot) && o.record().Base == o.version.Follows", "return o.record() != nil", "^TestHumanRollbackIsNeverSweptAgainst$"},
		{"fence over a human rollback", "decide.go",
			"if !o.active() || !o.trusted() || o.current.Status == paistrike.StatusRevoked {", "if !o.active() {", "^TestFenceNeverLaundersARollback$"},
		{"publish without verifying", "run.go",
			"if err := e.verify(critical, o, m); err != nil {", "if err := error(nil); err != nil {", "^TestRefusedTokenIsNotPublished$"},
		{"revoke the old token before publishing", "run.go",
			"adopt, astray := split(o, m.name, r.Keep)", "if o.active() {\n\t\t_ = e.end(critical, o.record().TokenID, entryTokens(o.Slots, nil))\n\t}\n\tadopt, astray := split(o, m.name, r.Keep)", bySingles + "/^vault$/^rotate$"},
		{"adopt from an old list", "run.go",
			"if err := e.reload(ctx, true); err != nil {", "if err := e.load(ctx); err != nil {", byExplorer + "/^RRH-0-faults$"},
		{"believe that an entry is absent", "destroy.go",
			"if o.kind == kindVacant && o.Revision != \"\" {", "if o.kind == kindVacant {", byExplorer + "/^RD-1-faults$"},
		{"count the overlap from the first look", "run.go",
			"o.Clock.Machine = machine\n\tif now, ok := e.tokens.ServerTime(); ok {\n\t\to.Clock.PAIStrike = now\n\t}", "_ = machine", "^TestOverlapBeginsAtThePublication$"},
	}
}

// mutantsOfBelief break the rules against neighbors, forgers and lies.
func mutantsOfBelief() []mutant {
	const end = "../paistrike/end.go"
	return []mutant{
		{"revoke on the store's word", end,
			"case !by.Covers(token):", "case false:", byExplorer + "/^FW-"},
		{"revoke an import by its id alone", "revoke.go",
			"slices.Contains(imported, Imported{ID: token.ID, Name: token.Name})", "slices.ContainsFunc(imported, func(i Imported) bool { return i.ID == token.ID })", "^TestImportedTokenIsRetiredByWhoImportedIt$"},
		{"revoke the run's own token", end,
			"case own:\n\t\t\treturn ErrOwn", "case own && false:\n\t\t\treturn ErrOwn", "^TestARunNeverEndsItsOwnToken$"},
		{"call revoked what PAIStrike does not know", end,
			"case !token.Known():\n\t\treturn ErrUnknown", "case !token.Known():\n\t\treturn nil", "^TestNotKnownIsNotRevoked$"},
		{"believe the create's answer when a token is thrown away", "mint.go",
			"e.inventory.forget(minted.ID)", "", "^TestATokenIsThrownAwayByWhatIsListed$"},
		{"publish a token that was there before", "mint.go",
			"case err == nil && e.inventory.isAnother(minted.ID, name):", "case false:", byLies + "/answered_with_another_token's_id"},
		{"take the new token for another, because a list shows it", "inventory.go",
			"known && token.Name != name.String()", "known && token.Name != \"\"", "^TestListFetchedDuringACreate$"},
		{"mint by metadata", "decide.go",
			"name, text, end = record.TokenName, record.Schedule, record.ExpiresAt", "name, end = record.TokenName, record.ExpiresAt", "^TestSchedulerInheritsFromTheRecord$"},
		{"destroy the entry of another resource", "destroy.go",
			"case kindOurs:\n\t\treturn o.record().Owner == \"\" || o.record().Owner == owner", "case kindOurs:\n\t\treturn true", byExplorer + "/^RE-"},
		{"keep an entry that was lost to another resource", "decide.go",
			"case coming && same, record.Owner == \"\" && same:", "case same:", "^TestDecideOnAnotherIntegrationsEntry$"},
		{"take over without a word", "decide.go",
			"d.notes = append(d.notes, tookOver(o.At, *o.record()))", "", "^TestDecideOnAnotherIntegrationsEntry$"},
		{"believe a tombstone over a live version", "sight.go",
			"return s.Mirror.Revision != s.Revision || s.Mirror.State == entry.StateTombstone", "return s.Mirror.Revision != s.Revision", "^TestMetadataIsBoundToItsRevision$"},
		{"believe metadata of another version", "sight.go",
			"return s.Mirror.Revision != s.Revision || s.Mirror.State == entry.StateTombstone", "return s.Mirror.State == entry.StateTombstone", "^TestMetadataIsBoundToItsRevision$"},
		{"leave metadata as it is", "run.go",
			"if o.Managed && o.Problem == nil && o.Mirror.Says(want) {", "if o.Managed && o.Problem == nil {", byExplorer + "/^RM-"},
		{"take not found for revoked", "account.go",
			"default:\n\t\treturn AccountUnknown", "default:\n\t\treturn AccountKnown", "^TestAnotherAccountIsNotTouched$"},
		{"close the entry of another account", "destroy.go",
			"if o.active() && o.Account == AccountUnknown {", "if false {", "^TestAnotherAccountIsNotTouched$"},
		{"work on a copy of the store", "observe.go",
			"case record != nil && !ours(glance.Slots, record.Slot):", "case false:", "^TestACopiedStoreIsRefused$"},
		{"sweep beside a token that this store never published", "retire.go",
			"if !o.Clock.Trusted() || !o.trusted() || len(o.strangers()) > 0 {", "if !o.Clock.Trusted() || !o.trusted() {", "^TestNothingIsRetiredBesideAStranger$"},
		{"rotate by time beside another store", "decide.go",
			"if others := o.strangers(); len(others) > 0 && !r.Adopt {", "if false {\n\t\tothers := o.strangers()", "^TestHistorySetBack$"},
		{"sweep what someone uses", "observe.go",
			"return !token.Untold.Has(paistrike.LastUsed) && token.LastUsedAt.After(token.CreatedAt.Add(claimGrace))", "return false", "^TestHistorySetBack$"},
		{"take not told for unused", "observe.go",
			"return !token.Untold.Has(paistrike.LastUsed) && !token.LastUsedAt.After(token.CreatedAt.Add(claimGrace))", "return !token.LastUsedAt.After(token.CreatedAt.Add(claimGrace))", "^TestNoRuleRestsOnWhatIsNotTold$"},
		{"drop the overlap of a token that is not listed", "retire.go",
			"if o.active() && o.current.Status != paistrike.StatusRevoked &&", "if o.active() && o.current.Status == paistrike.StatusActive &&", "^TestALaggingListCutsNoOverlap$"},
		{"let PAIStrike's clock decide", "../schedule/clock.go",
			"return told[(len(told)-1)/2]", "return c.PAIStrike", "^TestOverlapEndsByTheMedianClock$"},
		{"leave orphans", "retire.go",
			"if !o.Clock.Trusted() {\n\t\treturn\n\t}\n\tfor _, token := range strays {", "for _, token := range strays[:0] {", byLies + "/the_create_is_done_after"},
		{"rotate by a clock that is not believed", "decide.go",
			"if d.rotate && timed && !o.Clock.Trusted() {", "if false {", "^TestDecideByTheClocks$"},
		{"let the overlap list stop a rotation for health", "decide.go",
			"&& (d.reason == schedule.ReasonPeriod || d.reason == schedule.ReasonSchedule) && !r.deliberate() {", "{", "^TestDecideIfDue$"},
		{"revive a closed entry for whoever forces a rotation", "decide.go",
			"case o.kind == kindVacant && (r.Wish == IfDue || r.Stored):", "case o.kind == kindVacant && r.Wish == IfDue:", byExplorer + "/^DP-"},
		{"revive a closed entry by forged metadata", "decide.go",
			"if d.rotate && r.Stored && o.kind == kindBroken && !o.vouched() {", "if false {", "^TestDecideIfDue$"},
		{"keep the ends that a person's version remembers", "retire.go",
			"if end := now.Add(overlap); !o.trusted() && list[i].RevokeAfter.Before(end) {", "if end := now; false {", "^TestAFullOverlapFollowsWhatAPersonWrote$"},
		{"adopt from a list that lacks what the record names", "run.go",
			"!listed && o.current.Known() && !e.tokens.DropsRevoked() {", "!listed && false {", "^TestNothingIsAdoptedFromALaggingList$"},
		{"sweep what was current before a label was moved back", "retire.go",
			"case !Unused(token), o.Rewinds && o.Revision != \"\":", "case !Unused(token):", byExplorer + "/^RRH-0-faults-opaque$"},
		{"publish on what was seen before the machine slept", "run.go",
			"if e.now().Sub(o.Clock.Machine) > inFlight {", "if false {", byExplorer + "/^RRH-0-faults-opaque$"},
	}
}

// mutantsOfTheClient break the checks that PAIStrike's client makes of responses.
func mutantsOfTheClient() []mutant {
	return []mutant{
		{"believe the answer to a revocation", "../paistrike/revoke.go",
			"return c.seeRevoked(ctx, id, known || err == nil, err)", "_ = known\n\treturn nil", byLies + "/answers_the_revocation"},
		{"take a 404 for the end of a token", "../paistrike/revoke.go",
			"case !IsNotFound(err) && !unserved(err):\n\t\t\treturn unknown(err)", "default:\n\t\t\treturn nil", byLies + "/all_calls_about_one_token"},
		{"take a page for an empty list", "../paistrike/list.go",
			"return page{}, &AnswerError{ask.op, got.status, err.Error()}", "return page{ended: true}, nil", byLies + "/login_page_answers_the_list"},
		{"take a refused list for an empty one", "../paistrike/list.go",
			"got, err := c.do(ctx, ask)\n\tif err != nil {", "got, err := c.do(ctx, ask)\n\tif IsUnauthorized(err) {\n\t\treturn page{ended: true}, nil\n\t}\n\tif err != nil {", byLies + "/proxy_answers_the_list"},
		{"stop at the first page", "../paistrike/list.go",
			"more := p.more || w.stated > len(w.tokens) || w.beforeLast(p)", "more := p.more", byLies + "/first_page_alone"},
		{"publish an id that leads to no token", "../paistrike/tokens.go",
			"case minted.ID != \"\" && !c.usableID(minted.ID):", "case false:", byLies + "/the_id_self"},
		{"take an unreadable create for a refused one", "../paistrike/tokens.go",
			"lost.Err = &AnswerError{op, got.status, err.Error()}\n\t\treturn Minted{}, lost", "return Minted{}, &AnswerError{op, got.status, err.Error()}", byLies + "/answers_the_create"},
	}
}

// mutantsInChaos break rules that chaos must detect on its own, over each store.
func mutantsInChaos() []mutant {
	rules := []mutant{
		{"revoke what has a name", "revoke.go",
			"structured && ours(slots, name.Slot) {", "structured && ours(slots, name.Slot) || token.Name != \"\" {", byChaos},
		{"end an overlap halfway", "retire.go",
			"return !c.Revoke().Before(r.RevokeAfter)", "return !c.Revoke().Before(r.SupersededAt.Add(r.RevokeAfter.Sub(r.SupersededAt) / 2))", byChaos},
		{"close the entry of another owner", "destroy.go",
			"if !o.ownedBy(r.Owner) {", "if false {", byChaos},
	}
	var mutants []mutant
	for _, rule := range rules {
		for _, row := range stores() {
			m := rule
			m.name += " (" + row.name + ")"
			m.by += "/^" + url.PathEscape(row.name) + "$"
			mutants = append(mutants, m)
		}
	}
	return mutants
}

// TestGuideClaimsNoMutantThatThereIsNot compares a figure in the proof line of the
// reliability guide with the table.
func TestGuideClaimsNoMutantThatThereIsNot(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "templates", "guides", "reliability.md.tmpl"))
	if err != nil {
		t.Fatal(err)
	}
	claimed := regexp.MustCompile(` mutants=(\d+)/`).FindStringSubmatch(string(page))
	if claimed == nil {
		t.Fatal("the guide has no proof line")
	}
	if n, err := strconv.Atoi(claimed[1]); err != nil || n == 0 || n > len(mutants()) {
		t.Errorf("the guide claims %s mutants, and there are %d", claimed[1], len(mutants()))
	}
}

// TestMutantsAreCaught breaks each rule and runs the proof that must fail. A mutant that
// survives means that a rule has no test.
func TestMutantsAreCaught(t *testing.T) {
	t.Parallel()
	if os.Getenv(mutantVariable) != "" {
		t.Skip("this is a mutant")
	}
	program := buildMutants(t, mutants())
	for _, m := range mutants() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			tally := proof.Tally{Kind: proof.Mutants, Of: 1}
			defer func() { proof.Add(t, tally) }()
			output, err := m.run(t, program)
			if err == nil {
				t.Fatalf("survives %s", m.by)
			}
			if !strings.Contains(output, "--- FAIL") {
				t.Fatalf("did not run: %s", output)
			}
			tally.N = 1
			t.Logf("caught: %s", firstViolation(output))
		})
	}
	noLieIsDecoration(t, program)
}

// run returns the output of the proof with a mutant.
func (m mutant) run(t *testing.T, program string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, "-test.failfast", "-test.run", m.by) //nolint:gosec // the tests of this package
	cmd.Env = append(os.Environ(), mutantVariable+"="+m.name, proof.FileVariable+"=")     // its findings are not violations
	output, err := cmd.CombinedOutput()
	return string(output), err
}

var violationLine = regexp.MustCompile(`(?m)^.*_test\.go:\d+: (.*)$`)

func firstViolation(output string) string {
	if found := violationLine.FindStringSubmatch(output); found != nil {
		return found[1]
	}
	return "(no text)"
}
