package rotation_test

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// elsewhere moves the world to a different account.
func (w *world) elsewhere() {
	w.t.Helper()
	w.paistrike = testparts.NewAccount(w.t, "Terraform", w.now())
}

// failuresOfBelief are the failures that neighbors, copies and lies cause.
func failuresOfBelief() []failing {
	return []failing{
		{"the create is answered with another token", func(w *world) ([]rotation.Message, error) {
			victim, _ := w.paistrike.Mint("made by hand", time.Time{})
			return w.with(withID(w.wire(), victim), w.request(rotation.Rotate, schedule.ReasonCreated))
		}},
		{"the account is another one", func(w *world) ([]rotation.Message, error) {
			w.create()
			w.elsewhere()
			return w.with(w.wire(), w.request(rotation.IfDue, schedule.ReasonNone))
		}},
		{"the account is another one, and the user asks for a token", func(w *world) ([]rotation.Message, error) {
			w.create()
			w.elsewhere()
			return w.with(w.wire(), w.due(schedule.ReasonTriggers))
		}},
		{"the store is a copy", func(w *world) ([]rotation.Message, error) {
			w.identity = "vault.example.com:8200"
			w.create()
			w.identity = "staging.example.com:8200"
			return w.with(w.wire(), w.request(rotation.IfDue, schedule.ReasonNone))
		}},
		{"another resource creates what this one has", func(w *world) ([]rotation.Message, error) {
			w.create()
			request := w.request(rotation.Rotate, schedule.ReasonCreated)
			request.Owner = "resource-2"
			return w.with(w.wire(), request)
		}},
		{"the entry was lost to another resource", func(w *world) ([]rotation.Message, error) {
			w.create()
			request := w.request(rotation.Settle, schedule.ReasonNone)
			request.Owner = "resource-2"
			return w.with(w.wire(), request)
		}},
		{"the store was set back", func(w *world) ([]rotation.Message, error) {
			w.create()
			w.again()
			w.use(mustRecord(w))
			w.setBack(1)
			return w.with(w.wire(), w.request(rotation.IfDue, schedule.ReasonNone))
		}},
		{"the version was deleted, and metadata names a token that does not work", func(w *world) ([]rotation.Message, error) {
			w.paistrike.Revoke(w.create())
			w.vault(http.MethodDelete, "data/"+w.at.Path, nil)
			return w.with(w.wire(), rotation.Request{At: w.at, Stored: true, Wish: rotation.IfDue})
		}},
		{"the record has a schedule that cannot be read", func(w *world) ([]rotation.Message, error) {
			w.create()
			record := *mustRecord(w)
			record.Schedule.Period, record.Base, record.Gen = "monthly", "1", 2
			content, err := entry.EncodeRecord("token", record)
			if err != nil {
				return nil, err
			}
			w.vault(http.MethodPost, "data/"+w.at.Path, map[string]any{"data": content})
			return w.with(w.wire(), rotation.Request{At: w.at, Stored: true, Wish: rotation.IfDue})
		}},
		{"PAIStrike's clock is a year ahead, and the token is due by the others", func(w *world) ([]rotation.Message, error) {
			w.create()
			w.paistrike.Clock().Advance(30 * day)
			return w.with(dated(w, w.wire(), 365*day), w.request(rotation.IfDue, schedule.ReasonNone))
		}},
		{"the token is declared compromised", func(w *world) ([]rotation.Message, error) {
			w.create()
			request := w.due(schedule.ReasonIncident)
			request.RevokePrevious, request.Triggers = true, "leaked"
			return w.with(w.wire(), request)
		}},
		{"the token is declared compromised, and cannot be revoked", func(w *world) ([]rotation.Message, error) {
			w.create()
			request := w.due(schedule.ReasonIncident)
			request.RevokePrevious, request.Triggers = true, "leaked"
			return w.with(w.where("DELETE", tokensPath, answers(500, `{"code":"internal"}`)), request)
		}},
		{"destroy: a token of another name", func(w *world) ([]rotation.Message, error) {
			w.create()
			id, _ := w.paistrike.Mint("made by hand", time.Time{})
			result, err := w.engine(w.wire()).Destroy(context.Background(), rotation.DestroyRequest{At: w.at, Owner: "resource-1", TokenIDs: []string{id}, Ending: entry.EndDelete})
			return result.Notes, err
		}},
		{"destroy: the mount is gone", func(w *world) ([]rotation.Message, error) {
			w.create()
			wire := roundTripper(func(r *http.Request) (*http.Response, error) {
				switch {
				case strings.Contains(r.URL.Path, "/sys/internal/ui/mounts/"):
					return answer(r, 403, `{"errors":["preflight capability check returned 403, please ensure client's policies grant access to path \"secret/\""]}`), nil
				case strings.Contains(r.URL.Path, "/v1/secret/"):
					return answer(r, 404, `{"errors":["no handler for route \"secret/metadata/ci\". route entry not found."]}`), nil
				}
				return w.send(r)
			})
			result, err := w.engine(wire).Destroy(context.Background(), rotation.DestroyRequest{At: w.at, Owner: "resource-1", TokenName: mustRecord(w).TokenName, Ending: entry.EndDelete})
			return result.Notes, err
		}},
		{"destroy: the token is the one that the run uses", func(w *world) ([]rotation.Message, error) {
			w.create()
			w.paistrike.Management = mustRecord(w).Secret.Reveal()
			result, err := w.engine(w.wire()).Destroy(context.Background(), rotation.DestroyRequest{At: w.at, Owner: "resource-1", Ending: entry.EndDelete})
			return result.Notes, err
		}},
	}
}
