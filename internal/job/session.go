package job

import (
	"context"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/report"
	"github.com/paistrike/terraform-provider-paistrike/internal/runner"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// session is one run: its output, its settings, and its access to PAIStrike and the store.
type session struct {
	gh       *runner.Runner
	getenv   func(string) string
	host     string // hostname
	version  string // of the program
	width    int    // columns of the terminal, 0 if none
	now      func() time.Time
	set      settings
	event    runner.Event
	step     context.Context                                  //nolint:containedctx // the waits of calls that outlive a cancel end with it
	wait     func(ctx context.Context, d time.Duration) error // nil = wait in real time
	identity *runner.Identity
	handTo   func(token) error // nil = hand over to the following steps
}

// token is a token for a job.
type token struct {
	paistrike.Token
	secret  secret.Secret
	source  string // "minted" or "read"
	version int    // generation of the entry; 0 if the entry has no record
}

// client returns a PAIStrike client that authenticates with the given token.
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

// serverNow returns the time by PAIStrike's clock, which decides expiry, or by this machine's
// clock if no response has arrived yet.
func (s *session) serverNow(client *paistrike.Client) time.Time {
	if now, ok := client.ServerTime(); ok {
		return now
	}
	return s.now().UTC()
}

// hand passes the masked token to the following steps.
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
		s.gh.Warn("", err.Error()) // the token is handed over; a missing summary is not an error
	}
	return nil
}

// pause waits before the next attempt: exponentially longer each time, and at least as long
// as the server asked for.
func (s *session) pause(ctx context.Context, attempt int, asked time.Duration) error {
	wait := min(500*time.Millisecond<<min(attempt-1, 6), 8*time.Second)
	return s.sleep(ctx, max(wait, asked))
}

// sleep waits for d, but not longer than the step's remaining time, whatever context the call
// has.
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
