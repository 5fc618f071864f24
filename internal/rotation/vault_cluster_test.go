package rotation_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// TestFailoverInTheMiddleOfManyTokens publishes thirty tokens concurrently, as an apply of
// thirty resources does, through a standby of a cluster. The active server fails while
// some are left. Nothing fails and nothing is lost.
func TestFailoverInTheMiddleOfManyTokens(t *testing.T) {
	t.Parallel()
	for name, goes := range map[string]func(*testparts.VaultCluster, testing.TB){
		"it steps down": (*testparts.VaultCluster).StepDown,
		"it is killed":  (*testparts.VaultCluster).Kill,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const resources, atOnce, before = 30, 10, 11
			cluster := testparts.NewVaultCluster(t)
			wire := &http.Transport{MaxIdleConnsPerHost: atOnce}
			t.Cleanup(wire.CloseIdleConnections)
			w := newWorld(t, kvServer{address: cluster.Standby(), root: cluster.Token, wire: wire, whole: true})
			engine := w.waitingEngine()
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute) // a failover takes seconds
			defer cancel()

			var published atomic.Int32
			var group sync.WaitGroup
			slots := make(chan struct{}, atOnce)
			for n := range resources {
				slots <- struct{}{}
				group.Go(func() {
					defer func() { <-slots }()
					r := w.request(rotation.Rotate, schedule.ReasonCreated)
					r.At.Path = fmt.Sprintf("%s/%d", w.at.Path, n)
					if _, err := engine.Run(ctx, r); err != nil {
						t.Errorf("resource %d: %v", n, err)
					}
					if published.Add(1) == before {
						goes(cluster, t)
					}
				})
			}
			group.Wait()

			store := w.waitingStore()
			for n := range resources {
				at := w.at
				at.Path = fmt.Sprintf("%s/%d", w.at.Path, n)
				version, err := store.Read(t.Context(), at)
				if err != nil || version.Record == nil || version.Record.State != entry.StateActive || !w.accepts(version.Record.Secret) {
					t.Errorf("resource %d: %+v, %v", n, version, err)
				}
			}
			active := slices.DeleteFunc(w.paistrike.Tokens(), func(token sandbox.Token) bool { return token.Status != "active" })
			if len(active) != resources+1 { // and the management token
				t.Errorf("%d tokens are active", len(active))
			}
		})
	}
}

// waitingEngine returns an engine that waits for its store in real time, because the
// failover of a real cluster takes real time.
func (w *world) waitingEngine() *rotation.Engine {
	w.t.Helper()
	client, err := paistrike.New(paistrike.Config{Endpoint: "http://localhost:1", Token: secret.New(w.paistrike.Management), Transport: w.wire(), Sleep: noSleep})
	if err != nil {
		w.t.Fatal(err)
	}
	return rotation.New(rotation.PAIStrike{Client: client}, w.waitingStore(), rotation.WithNow(w.now))
}

func (w *world) waitingStore() *vault.Store {
	w.t.Helper()
	client, err := vault.New(vault.Config{Address: w.kv.address, Login: w.login, Transport: w.wire()})
	if err != nil {
		w.t.Fatal(err)
	}
	return vault.NewStore(client)
}
