package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"time"
)

// story runs the demonstration in chapters. Every claim that it prints has been checked.
type story struct {
	*world
	out    io.Writer
	checks int
	// kept contains the secrets that consumers have read, by integration.
	kept map[string]string
}

// integrations lists the tokens of main.tf and the paths of their secrets.
var integrations = []struct{ label, path string }{
	{"CI/CD Pipeline", "ci/paistrike"},
	{"Automation Script", "automation/paistrike"},
	{"Zapier Integration", "zapier/paistrike"},
}

const day = 24 * time.Hour

type chapter struct {
	title string
	tell  func(context.Context) error
}

func (s *story) chapters() []chapter {
	return []chapter{
		{"1. A PAIStrike sandbox and " + s.store.title + " start on loopback", s.begin},
		{"2. terraform apply provisions one token per integration", s.provision},
		{"3. The secrets are in " + s.store.name + " and nowhere else", s.search},
		{"4. 31 days later the pipeline's token is due", s.due},
		{"5. terraform apply rotates it, and both tokens work", s.rotate},
		{"6. A day later its overlap is over", s.retire},
		{"7. Someone revokes a token by hand, and the next apply heals it", s.heal},
		{"8. terraform destroy leaves nothing behind", s.destroy},
	}
}

func (s *story) say(format string, args ...any) { fmt.Fprintf(s.out, format+"\n", args...) }

// check prints a claim that holds. Otherwise it returns an error with the claim.
func (s *story) check(holds bool, format string, args ...any) error {
	claim := fmt.Sprintf(format, args...)
	if !holds {
		return fmt.Errorf("this should hold, and does not: %s", claim)
	}
	s.checks++
	s.say("   ok  %s", claim)
	return nil
}

func (s *story) begin(ctx context.Context) error {
	s.kept = map[string]string{}
	status, err := s.call(ctx, "nobody's token")
	if err != nil {
		return err
	}
	s.say("       PAIStrike  %s", s.api.URL)
	s.say("       Store      %s", s.address)
	s.say("       CLI        %s", filepath.Base(s.world.terraform.binary))
	return s.check(status == http.StatusUnauthorized, "PAIStrike refuses a wrong token with 401")
}

func (s *story) provision(ctx context.Context) error {
	if err := s.world.terraform.apply(ctx); err != nil {
		return err
	}
	for _, i := range integrations {
		if err := s.check(len(s.active(i.label)) == 1, "%q has one active token", i.label); err != nil {
			return err
		}
		if err := s.fetch(ctx, i.label, i.path); err != nil {
			return err
		}
	}
	changes, err := s.world.terraform.plan(ctx)
	if err != nil {
		return err
	}
	return s.check(len(changes) == 0, "the next plan has no changes")
}

// fetch reads a secret as its consumer and verifies that it works.
func (s *story) fetch(ctx context.Context, label, path string) error {
	secret, err := s.secret(ctx, path)
	if err != nil {
		return err
	}
	status, err := s.call(ctx, secret)
	if err != nil {
		return err
	}
	s.kept[label] = secret
	return s.check(status == http.StatusOK, "the secret in %s at %s gets 200 from PAIStrike", s.store.name, s.store.place(path))
}

func (s *story) search(ctx context.Context) error {
	files, err := s.world.terraform.written(ctx)
	if err != nil {
		return err
	}
	if files["the store's journal"], err = s.journal(ctx); err != nil {
		return err
	}
	for name, raw := range files {
		for label, secret := range s.kept {
			for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret)), base64.URLEncoding.EncodeToString([]byte(secret))} {
				if bytes.Contains(raw, []byte(form)) {
					return fmt.Errorf("the secret of %q is in %s", label, name)
				}
			}
		}
	}
	return s.check(len(files) >= 6, "state, saved plan, both as JSON, and the store's journal (%d parts) hold none of the three secrets", len(files))
}

func (s *story) due(ctx context.Context) error {
	s.paistrike.Clock().Advance(31 * day)
	changes, err := s.world.terraform.plan(ctx)
	if err != nil {
		return err
	}
	ci := slices.IndexFunc(changes, func(c planned) bool { return c.address == "paistrike_api_token.ci" })
	if err := s.check(ci >= 0 && slices.Equal(changes[ci].actions, []string{"update"}), "the plan updates paistrike_api_token.ci in place, nothing is replaced"); err != nil {
		return err
	}
	return s.check(changes[ci].reason == "period", "it says why: rotation_reason = %q", changes[ci].reason)
}

func (s *story) rotate(ctx context.Context) error {
	before := s.kept["CI/CD Pipeline"]
	if err := s.world.terraform.apply(ctx); err != nil {
		return err
	}
	if err := s.fetch(ctx, "CI/CD Pipeline", "ci/paistrike"); err != nil {
		return err
	}
	status, err := s.call(ctx, before)
	if err != nil {
		return err
	}
	if err := s.check(s.kept["CI/CD Pipeline"] != before && status == http.StatusOK, "the old token, which a running job may still hold, gets 200 too"); err != nil {
		return err
	}
	s.kept["before"] = before
	return nil
}

func (s *story) retire(ctx context.Context) error {
	s.paistrike.Clock().Advance(25 * time.Hour)
	if err := s.world.terraform.apply(ctx); err != nil {
		return err
	}
	old, err := s.call(ctx, s.kept["before"])
	if err != nil {
		return err
	}
	if err := s.check(old == http.StatusUnauthorized, "after its overlap the old token gets 401"); err != nil {
		return err
	}
	if err := s.fetch(ctx, "CI/CD Pipeline", "ci/paistrike"); err != nil {
		return err
	}
	return s.check(len(s.active("CI/CD Pipeline")) == 1, "one active token is left")
}

func (s *story) heal(ctx context.Context) error {
	s.paistrike.Revoke(s.active("Automation Script")[0].ID)
	changes, err := s.world.terraform.plan(ctx)
	if err != nil {
		return err
	}
	noticed := len(changes) == 1 && changes[0].address == "paistrike_api_token.script" && changes[0].reason == "revoked"
	if err := s.check(noticed, "the plan notices: paistrike_api_token.script, rotation_reason = \"revoked\""); err != nil {
		return err
	}
	if err := s.world.terraform.apply(ctx); err != nil {
		return err
	}
	return s.fetch(ctx, "Automation Script", "automation/paistrike")
}

func (s *story) destroy(ctx context.Context) error {
	if err := s.world.terraform.destroy(ctx); err != nil {
		return err
	}
	for _, i := range integrations {
		secret, err := s.secret(ctx, i.path)
		if err != nil {
			return err
		}
		if err := s.check(secret == "" && len(s.active(i.label)) == 0, "no token of %q is left, and %s is gone", i.label, s.store.place(i.path)); err != nil {
			return err
		}
	}
	for label, secret := range s.kept {
		status, err := s.call(ctx, secret)
		if err != nil {
			return err
		}
		if status != http.StatusUnauthorized {
			return fmt.Errorf("the last secret of %q still gets %d", label, status)
		}
	}
	return s.check(true, "every secret that was ever handed out gets 401")
}
