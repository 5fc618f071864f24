package job

import (
	"context"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/report"
	"github.com/paistrike/terraform-provider-paistrike/internal/runner"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// session is one run: whom it talks to, what it was asked for, and how it reaches
// PAIStrike and the store.
type session struct {
	gh       *runner.Runner
	getenv   func(string) string
	host     string // this machine's name
	version  string // of the program
	width    int    // of the terminal in columns, 0 for none
	now      func() time.Time
	set      settings
	event    runner.Event
	step     context.Context                                  //nolint:containedctx // the waits of calls that outlive a cancel end with it
	wait     func(ctx context.Context, d time.Duration) error // nil waits in real time
	identity *runner.Identity
	handTo   func(token) error // nil hands over to the steps that follow
}

// token is what a job gets.
type token struct {
	paistrike.Token
	secret  secret.Secret
	source  string // "minted" or "read"
	version int    // generation of the entry that it was read from; 0 if that is not a record
}

// client makes a client of PAIStrike that calls as the given token.
func (s *session) client(bearer secret.Secret) (*paistrike.Client, error) {
	config := s.set.api
	config.Token, config.MaxAttempts = bearer, s.set.maxAttempts
	config.Sleep, config.Now = s.sleep, s.now
	client, err := paistrike.New(config)
	if err != nil {
		return nil, badInputs([]string{err.Error()})
	}
	return client, nil
}

// serverNow is PAIStrike's clock, which decides expiry, or this machine's if PAIStrike has
// not been asked yet.
func (s *session) serverNow(client *paistrike.Client) time.Time {
	if now, ok := client.ServerTime(); ok {
		return now
	}
	return s.now().UTC()
}

// hand passes the token on to the steps that follow. It is masked already.
func (s *session) hand(t token) error {
	for _, output := range []struct{ name, value string }{
		{"token", t.secret.Reveal()},
		{"token_id", t.ID},
		{"token_name", t.Name},
		{"expires_at", report.Stamp(t.ExpiresAt)},
		{"source", t.source},
		{"secret_version", number(t.version)},
		{"skipped", "false"},
	} {
		if err := s.gh.Output(output.name, output.value); err != nil {
			return err
		}
	}
	if s.set.exportEnv {
		if err := s.gh.Export(s.set.envName, t.secret.Reveal()); err != nil {
			return err
		}
	}
	s.gh.Say(s.headline(t))
	if !s.set.summary {
		return nil
	}
	if err := s.gh.Summarize(s.summary(t)); err != nil {
		s.gh.Warn("", err.Error()) // the token is handed over; a page can do without a table
	}
	return nil
}

// pause waits before another attempt: as long as the server asked, else twice as long each
// time.
func (s *session) pause(ctx context.Context, attempt int, asked time.Duration) error {
	wait := min(500*time.Millisecond<<min(attempt-1, 6), 8*time.Second)
	return s.sleep(ctx, max(wait, asked))
}

// sleep waits, but no longer than the step has, whatever context a call runs under.
func (s *session) sleep(ctx context.Context, d time.Duration) error {
	if s.wait != nil {
		return s.wait(ctx, d)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.step.Done():
		return s.step.Err()
	}
}
