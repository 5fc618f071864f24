package provider_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-testing/compare"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
)

// act is one step of a story: what happens on the servers, what is then applied, and what
// must be true afterwards. In addition, [stage.play] checks what must be true after every
// apply.
type act struct {
	before func()
	config string
	plan   []plancheck.PlanCheck   // of the plan that is applied
	state  []statecheck.StateCheck // of the state after it
	after  func()

	fails string // the error, from its summary on; all white space is equivalent

	planOnly bool // make a plan and do not apply it
	due      bool // the next plan has changes
	unsound  bool // tokens that the state does not name may be left
	newID    bool // the resource is a different one from here on

	step func(*resource.TestStep) // for the needs of few steps
}

// play runs a story. After each act that applies, it checks that
//
//   - the next plan is empty,
//   - id is unchanged,
//   - state, PAIStrike and the store agree, and there are no tokens other than those in state,
//   - a secret in the store that worked before still works.
//
// At the end Terraform destroys, and no token is left.
func (s *stage) play(acts ...act) {
	s.Helper()
	var steps []resource.TestStep
	id := statecheck.CompareValue(compare.ValuesSame())
	for _, a := range acts {
		if a.config == forgotten {
			needs(s.T, "1.7.0", "1.7.0") // removed blocks
		}
		if a.newID {
			id = statecheck.CompareValue(compare.ValuesSame())
		}
		step := s.stepOf(a)
		if strings.Contains(a.config, standardAddress) && a.fails == "" && !a.planOnly {
			step.ConfigStateChecks = append(step.ConfigStateChecks, id.AddStateValue(ci, tfjsonpath.New("id")))
		}
		steps = append(steps, step)
	}
	resource.UnitTest(s.T, resource.TestCase{ProtoV6ProviderFactories: s.providers(), Steps: steps})
	s.wantLive(0)
}

func (s *stage) stepOf(a act) resource.TestStep {
	step := resource.TestStep{
		Config:             s.inStore(a.config),
		PlanOnly:           a.planOnly,
		ExpectNonEmptyPlan: a.due,
		ConfigPlanChecks:   resource.ConfigPlanChecks{PreApply: a.plan},
		ConfigStateChecks:  a.state,
		PreConfig: func() {
			s.stillWorks() // after a step that failed
			if a.before != nil {
				a.before()
			}
			s.worked = s.served()
		},
		PostApplyFunc: func() {
			s.stillWorks()
			if a.after != nil {
				a.after()
			}
		},
	}
	switch {
	case a.fails != "":
		step.ExpectError = says(s.inStore(a.fails))
	case a.planOnly:
		step.ConfigPlanChecks = resource.ConfigPlanChecks{PostApplyPostRefresh: a.plan}
		step.ConfigStateChecks = nil
	default:
		if !a.due {
			step.ConfigPlanChecks.PostApplyPostRefresh = []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}
		}
		if !a.unsound {
			step.ConfigStateChecks = append(step.ConfigStateChecks, stateCheck(s.agrees))
		}
	}
	if a.step != nil {
		a.step(&step)
	}
	return step
}

// stillWorks fails the test if a consumer that had a working secret now has one that does
// not work. A missing entry was removed on purpose, and the story checks that.
func (s *stage) stillWorks() {
	s.Helper()
	now := s.served()
	for at, worked := range s.worked {
		if works, there := now[at]; worked && there && !works {
			s.Errorf("the secret in %s worked before this step and does not now", at)
		}
	}
	s.worked = nil
}

// says matches output of the CLI with any line breaks. "..." matches anything.
func says(text string) *regexp.Regexp {
	words := strings.Fields(text)
	for i, word := range words {
		words[i] = strings.ReplaceAll(regexp.QuoteMeta(word), `\.\.\.`, ".*")
	}
	return regexp.MustCompile(`(?s)` + strings.Join(words, `\s+`))
}

// ci is the address of the resource that most stories are about. standardAddress is its
// declaration in a configuration.
const (
	ci              = "paistrike_api_token.ci"
	standardAddress = `"paistrike_api_token" "ci"`
)

// stateCheck is a check that is one function.
type stateCheck func(statecheck.CheckStateRequest) error

func (f stateCheck) CheckState(_ context.Context, req statecheck.CheckStateRequest, resp *statecheck.CheckStateResponse) {
	resp.Error = f(req)
}

// planCheck is a check that is one function.
type planCheck func(plancheck.CheckPlanRequest) error

func (f planCheck) CheckPlan(_ context.Context, req plancheck.CheckPlanRequest, resp *plancheck.CheckPlanResponse) {
	resp.Error = f(req)
}

// attributes returns the attributes of every token in state, by address.
func attributes(req statecheck.CheckStateRequest) map[string]map[string]any {
	tokens := map[string]map[string]any{}
	if req.State.Values == nil {
		return tokens
	}
	for _, r := range req.State.Values.RootModule.Resources {
		if r.Type == "paistrike_api_token" && r.Mode == "managed" {
			tokens[r.Address] = r.AttributeValues
		}
	}
	return tokens
}

// pathOf returns the path of the secret of a token in state.
func pathOf(token map[string]any) string {
	if at, ok := token["aws_secrets_manager"].(map[string]any); ok {
		return inAWS + fmt.Sprint(at["name"])
	}
	at, _ := token["vault"].(map[string]any)
	return fmt.Sprint(at["path"])
}

// agrees compares the state with the servers.
func (s *stage) agrees(req statecheck.CheckStateRequest) error {
	named := map[string]string{}
	for address, token := range attributes(req) {
		path := pathOf(token)
		e := s.entry(path)
		if id := fmt.Sprint(token["token_id"]); e.serves() != id || fmt.Sprint(token["secret_version"]) != fmt.Sprint(e.record.Gen) {
			return fmt.Errorf("%s says token %s in generation %v, and the store serves %q in generation %d", address, id, token["secret_version"], e.serves(), e.record.Gen)
		}
		named[e.serves()] = address
		previous, _ := token["previous_tokens"].([]any)
		for _, p := range previous {
			old, _ := p.(map[string]any)
			named[fmt.Sprint(old["id"])] = address + " before"
		}
		if custom := s.custom(path); custom["paistrike_token_id"] != e.serves() || custom["paistrike_mirror_of"] != fmt.Sprint(e.record.Gen) ||
			custom["paistrike_revision"] != e.Revision || custom["paistrike_owner"] != token["id"] {
			return fmt.Errorf("metadata says token %s in generation %s, version %s, of owner %s, and the store serves %s in generation %d, version %s, for %v",
				custom["paistrike_token_id"], custom["paistrike_mirror_of"], custom["paistrike_revision"], custom["paistrike_owner"], e.serves(), e.record.Gen, e.Revision, token["id"])
		}
	}
	works := map[string]bool{}
	for _, token := range s.tokens() {
		works[token.ID] = true
		if _, ok := named[token.ID]; !ok && token.IssuerID != "" {
			return fmt.Errorf("token %s (%s) works and is not in state", token.ID, token.Name)
		}
	}
	for id, where := range named {
		if strings.HasSuffix(where, " before") && !works[id] {
			return fmt.Errorf("state names token %s of %s, which does not work", id, where)
		}
	}
	return nil
}

// edit replaces parts of a configuration, each of which must be present.
func edit(config string, oldnew ...string) string {
	for pair := range slices.Chunk(oldnew, 2) {
		if !strings.Contains(config, pair[0]) {
			panic("the configuration does not hold " + pair[0])
		}
		config = strings.ReplaceAll(config, pair[0], pair[1])
	}
	return config
}
