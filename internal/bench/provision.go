package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// atOnceProvisioned is the number of entries provisioned concurrently.
const atOnceProvisioned = 16

// provision creates entries as Terraform does. Some of them are due a month later. It skips
// the requests that only check permissions, so that it creates 100,000 entries in minutes.
func (w *world) provision(ctx context.Context, n, due int) (*account, error) {
	_, management := w.paistrike.Mint("provisioner", time.Time{})
	client, err := paistrike.New(paistrike.Config{Endpoint: w.api.URL, Token: secret.New(management)})
	if err != nil {
		return nil, err
	}
	store, err := vault.New(vault.Config{
		Address: w.vault, Login: vault.Login{Method: vault.MethodToken, Token: secret.New(rootToken)},
	})
	if err != nil {
		return nil, err
	}
	made := &account{Tokens: rotation.PAIStrike{Client: client}, server: w.paistrike}
	engine := rotation.New(made, newStore{vault.NewStore(store)})
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnceProvisioned)
	for i := range n {
		text := schedule.Schedule{Period: "40d", Overlap: "24h", ExpiresIn: "50d"}
		if i < due {
			text.Period = "30d"
		}
		policy, err := text.Policy(time.Time{})
		if err != nil {
			return nil, err
		}
		group.Go(func() error {
			_, err := engine.Run(ctx, rotation.Request{
				At: entry.Location{Mount: "secret", Path: fmt.Sprintf("bench/%02d/%d", i%dueOneIn, i)}, Label: fmt.Sprintf("Integration %d", i),
				Policy: policy, Schedule: text, Wish: rotation.Rotate, Reason: schedule.ReasonCreated,
			})
			return err
		})
	}
	return made, group.Wait()
}

// account is PAIStrike called without a network: tokens are created as by hand.
type account struct {
	rotation.Tokens
	server *sandbox.Server

	mu      sync.Mutex
	secrets []string
}

// Create makes a token.
func (a *account) Create(_ context.Context, name string, expiresAt time.Time) (paistrike.Minted, error) {
	id, value := a.server.Mint(name, expiresAt)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.secrets = append(a.secrets, value)
	return paistrike.Minted{
		Token:  paistrike.Token{ID: id, Name: name, Status: paistrike.StatusActive, CreatedAt: a.server.Clock().Now(), ExpiresAt: expiresAt},
		Secret: secret.New(value),
	}, nil
}

// Verify asks nobody.
func (*account) Verify(context.Context, secret.Secret) error { return nil }

// use calls PAIStrike with each token, as its consumer would, so that an audit finds it in use.
func (a *account) use(ctx context.Context) error {
	for _, value := range a.secrets {
		call := httptest.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1/api/v1/api-tokens/self", nil)
		call.Header.Set("Authorization", "Bearer "+value)
		response := httptest.NewRecorder()
		if a.server.ServeHTTP(response, call); response.Code != http.StatusOK {
			return fmt.Errorf("PAIStrike answered a consumer with %d: %s", response.Code, response.Body)
		}
	}
	return nil
}

// newStore is a store in which nothing is yet, and in which all may be written.
type newStore struct{ rotation.Store }

// Check refuses nothing.
func (newStore) Check(context.Context, entry.Location, entry.Revision, time.Duration) error {
	return nil
}

// Read finds nothing.
func (newStore) Read(context.Context, entry.Location) (entry.Version, error) {
	return entry.Version{Condition: entry.Absent}, nil
}
