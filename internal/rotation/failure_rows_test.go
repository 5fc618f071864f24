package rotation_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// Parts of the URLs that fail.
const (
	paistrikeHost = "localhost:1"
	tokensPath    = "/api-tokens"
	vaultPart     = "/v1/"
	health        = "/sys/health"
)

// under runs against a PAIStrike with a different policy.
func under(p sandbox.Policy) func(w *world) ([]rotation.Message, error) {
	return func(w *world) ([]rotation.Message, error) {
		w.paistrike.SetPolicy(p)
		return w.with(w.wire(), w.request(rotation.Rotate, schedule.ReasonCreated))
	}
}

func unreachable(_ *world, _ int, _ *http.Request) (*http.Response, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errRefused}
}

func failuresOfPAIStrike() []failing {
	const invalid, internal = `{"code":"token_invalid"}`, `{"code":"internal"}`
	return []failing{
		{"PAIStrike refuses the management token", atCreate("GET", tokensPath, answers(401, invalid))},
		{"PAIStrike does not let the management token list", atCreate("GET", tokensPath, answers(403, `{"code":"forbidden"}`))},
		{"PAIStrike does not let the management token create", under(sandbox.Policy{NoMinting: true})},
		{"PAIStrike cannot be reached", atCreate("", paistrikeHost, unreachable)},
		{"the list of tokens breaks off", atRotation("GET", tokensPath+"?", answers(500, internal))},
		{"PAIStrike refuses the create", under(sandbox.Policy{MaxLifetime: 24 * time.Hour})},
		{"the account is full", under(sandbox.Policy{MaxActive: 1})},
		{"PAIStrike is busy", atRotation("POST", tokensPath, answers(429, `{"code":"rate_limited"}`))},
		{"the reply to the create is lost", atRotation("POST", tokensPath, firstly(1, silent))},
		{"the create is answered with 500, after it was done", atRotation("POST", tokensPath, firstly(1, func(w *world, n int, r *http.Request) (*http.Response, error) {
			_, _ = silent(w, n, r)
			return answer(r, 500, internal), nil
		}))},
		{"every reply to a create is lost", atRotation("POST", tokensPath, silent)},
		{"creates do not arrive, or much later", atRotation("POST", tokensPath, cut)},
		{"the answer to the create has no token", atRotation("POST", tokensPath, func(w *world, n int, r *http.Request) (*http.Response, error) {
			_, _ = silent(w, n, r)
			return answer(r, 201, `{"message":"created"}`), nil
		})},
		{"the answer to the create has no token, and nothing was created", atRotation("POST", tokensPath, answers(200, `{}`))},
		{"PAIStrike refuses the new token", atRotation("GET", tokensPath+"/self", answers(401, invalid))},
		{"PAIStrike refuses the new token, and its revocation fails", func(w *world) ([]rotation.Message, error) {
			w.create()
			refusing := w.where("GET", tokensPath+"/self", answers(401, invalid))
			wire := roundTripper(func(r *http.Request) (*http.Response, error) {
				if r.Method == http.MethodDelete {
					return nil, errConnection
				}
				return refusing.RoundTrip(r)
			})
			return w.with(wire, w.request(rotation.Rotate, schedule.ReasonForced))
		}},
		{"PAIStrike grants another expiry", under(sandbox.Policy{DateOnly: true})},
		{"the old token cannot be revoked", func(w *world) ([]rotation.Message, error) {
			w.create()
			w.again()
			w.paistrike.Clock().Advance(day)
			return w.with(w.where("DELETE", tokensPath, answers(500, internal)), w.request(rotation.Settle, schedule.ReasonNone))
		}},
		{"the old token is gone already", func(w *world) ([]rotation.Message, error) {
			first := w.create()
			w.again()
			w.paistrike.Clock().Advance(day)
			w.paistrike.Forget(first)
			return w.with(w.wire(), w.request(rotation.Settle, schedule.ReasonNone))
		}},
		{"the old token is used to the end of its overlap", usedToTheEnd(false)},
		{"the old token is used to the end of its overlap, and waits until it is idle", usedToTheEnd(true)},
	}
}

func usedToTheEnd(waits bool) func(w *world) ([]rotation.Message, error) {
	return func(w *world) ([]rotation.Message, error) {
		w.create()
		first, _ := w.current()
		w.again()
		w.paistrike.Clock().Advance(day - time.Minute)
		w.accepts(first.Secret)
		w.paistrike.Clock().Advance(time.Minute)
		request := w.request(rotation.Settle, schedule.ReasonNone)
		request.Policy.RetireWhenIdle = waits
		return w.with(w.wire(), request)
	}
}

// sealed is a Vault that reports itself as sealed.
func sealed(w *world, _ int, r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, health) {
		return answer(r, 200, fmt.Sprintf(`{"initialized":true,"sealed":true,"server_time_utc":%d}`, w.now().Unix())), nil
	}
	return answer(r, 503, `{"errors":["Vault is sealed"]}`), nil
}

// ahead is a Vault with a clock that is ahead by d.
func ahead(d time.Duration) does {
	return func(w *world, _ int, r *http.Request) (*http.Response, error) {
		return answer(r, 200, fmt.Sprintf(`{"initialized":true,"server_time_utc":%d}`, w.now().Add(d).Unix())), nil
	}
}

func failuresOfVault() []failing {
	return []failing{
		{"Vault is sealed before the run", atRotation("", vaultPart, func(w *world, n int, r *http.Request) (*http.Response, error) {
			if r.URL.Host == paistrikeHost {
				return w.send(r)
			}
			return sealed(w, n, r)
		})},
		{"Vault is sealed after the mint", func(w *world) ([]rotation.Message, error) {
			w.create()
			closed := false
			wire := roundTripper(func(r *http.Request) (*http.Response, error) {
				if closed = closed || r.Method == http.MethodPut; closed && r.URL.Host != paistrikeHost {
					return sealed(w, 0, r)
				}
				return w.send(r)
			})
			return w.with(wire, w.request(rotation.Rotate, schedule.ReasonForced))
		}},
		{"Vault cannot be reached", atRotation("GET", "/sys/internal/", unreachable)},
		{"the login is refused", func(w *world) ([]rotation.Message, error) {
			w.login = vault.Login{Method: vault.MethodAppRole, RoleID: "ci", SecretID: secret.New("of no use")}
			return w.with(w.where("POST", "/auth/approle/login", answers(400, `{"errors":["invalid role or secret ID"]}`)), w.request(rotation.Rotate, schedule.ReasonCreated))
		}},
		{"the policy lacks patch", atCreate("POST", "/capabilities-self", func(w *world, _ int, r *http.Request) (*http.Response, error) {
			return answer(r, 200, fmt.Sprintf(`{"data":{"secret/data/%s":["create","read","update"],"secret/metadata/%s":["read"]}}`, w.at.Path, w.at.Path)), nil
		})},
		{"the policy lacks the right to look", atCreate("GET", "/secret/metadata/", answers(403, `{"errors":["1 error occurred:\n\t* permission denied\n\n"]}`))},
		{"the Vault token is revoked after the mint", atRotation("PUT", "/secret/data/", answers(403, `{"errors":["permission denied"]}`))},
		{"the Vault token ends soon", atRotation("GET", "/auth/token/lookup-self", answers(200, `{"data":{"ttl":90,"expire_time":"2026-02-04T09:01:30Z"}}`))},
		{"Vault is busy", atRotation("GET", "/secret/data/", answers(429, `{"errors":["request path: rate limit quota exceeded"]}`))},
		{"a lagging server keeps answering", atRotation("GET", "/secret/data/", answers(412, `{"errors":["required index state not present"]}`))},
		{"the mount is being upgraded", atCreate("GET", "/secret/metadata/", answers(400, `{"errors":["Upgrading from non-versioned to versioned data. This backend will be unavailable for a brief period and will resume service shortly."]}`))},
		{"the mount is KV version 1", atCreate("GET", "/sys/internal/ui/mounts/", answers(200, `{"data":{"path":"secret/","type":"kv","uuid":"0b5c","options":{"version":"1"}}}`))},
		{"Vault would delete the secret too early", func(w *world) ([]rotation.Message, error) {
			w.vault(http.MethodPost, "metadata/"+w.at.Path, map[string]any{"delete_version_after": "36h"})
			return w.with(w.wire(), w.request(rotation.Rotate, schedule.ReasonCreated))
		}},
		{"Vault will delete the secret too early", atRotation("PUT", "/secret/data/", func(w *world, _ int, r *http.Request) (*http.Response, error) {
			response, err := w.send(r)
			if err == nil {
				response.Body.Close()
			}
			return answer(r, 200, `{"data":{"version":2,"created_time":"2026-02-04T09:00:00Z","deletion_time":"2026-02-05T21:00:00Z"}}`), err
		})},
		{"custom metadata cannot be written", atRotation("PATCH", "/secret/metadata/", answers(500, `{"errors":["internal error"]}`))},
		{"the clocks are ten minutes apart", atRotation("GET", health, ahead(10*time.Minute))},
		{"the clocks are an hour apart", atRotation("GET", health, ahead(time.Hour))},
		{"neither server says what time it is", func(w *world) ([]rotation.Message, error) {
			closed := w.where("GET", health, answers(404, ``))
			wire := roundTripper(func(r *http.Request) (*http.Response, error) {
				response, err := closed.RoundTrip(r)
				if err == nil {
					response.Header.Del("Date")
				}
				return response, err
			})
			return w.with(wire, w.request(rotation.Rotate, schedule.ReasonCreated))
		}},
	}
}

// overtaken makes another run publish just before our own write arrives.
func overtaken(times int) does {
	return firstly(times, func(w *world, _ int, r *http.Request) (*http.Response, error) {
		w.again()
		return w.send(r)
	})
}

func failuresOfEntries() []failing {
	return []failing{
		{"the reply to the publication is lost", atRotation("PUT", "/secret/data/", firstly(1, silent))},
		{"a proxy answers 502 after the publication", atRotation("PUT", "/secret/data/", firstly(1, func(w *world, n int, r *http.Request) (*http.Response, error) {
			_, _ = silent(w, n, r)
			return answer(r, 502, "<html>bad gateway</html>"), nil
		}))},
		{"the publication does not arrive, or much later", atRotation("PUT", "/secret/data/", cut)},
		{"the fence does not arrive, or much later", func(w *world) ([]rotation.Message, error) {
			w.create()
			record, _ := w.current()
			name := rotation.Name{Label: "CI/CD Pipeline", Slot: record.Slot, Inc: record.Inc, Gen: 2, Nonce: "aaaaaaaa"}
			w.paistrike.Mint(name.String(), w.now().Add(90*day))
			w.paistrike.Clock().Advance(day)
			request := w.request(rotation.Settle, schedule.ReasonNone)
			request.MayRepublish = true
			return w.with(w.where("PUT", "/secret/data/", cut), request)
		}},
		{"another run is first", func(w *world) ([]rotation.Message, error) {
			w.create()
			w.paistrike.Clock().Advance(30 * day)
			return w.with(w.where("PUT", "/secret/data/", overtaken(1)), w.request(rotation.IfDue, schedule.ReasonNone))
		}},
		{"other runs are always first", func(w *world) ([]rotation.Message, error) {
			w.create()
			return w.with(w.where("PUT", "/secret/data/", overtaken(10)), w.request(rotation.Rotate, schedule.ReasonForced))
		}},
		{"the path holds someone else's secret", func(w *world) ([]rotation.Message, error) {
			w.vault(http.MethodPost, "data/"+w.at.Path, map[string]any{"data": map[string]any{"password": "by hand"}})
			return w.with(w.wire(), w.request(rotation.Rotate, schedule.ReasonCreated))
		}},
		{"the path holds the token of another integration", func(w *world) ([]rotation.Message, error) {
			w.create()
			request := w.request(rotation.Rotate, schedule.ReasonCreated)
			request.Label, request.Owner = "Zapier", "resource-2"
			return w.with(w.wire(), request)
		}},
		{"a newer release wrote the record", func(w *world) ([]rotation.Message, error) {
			w.create()
			w.vault(http.MethodPost, "data/"+w.at.Path, map[string]any{"data": map[string]any{"token": "theirs", "paistrike": `{"v":2}`}})
			return w.with(w.wire(), w.request(rotation.Rotate, schedule.ReasonForced))
		}},
		{"a human wrote nonsense into the schedule", func(w *world) ([]rotation.Message, error) {
			w.create()
			custom, _ := w.vault(http.MethodGet, "metadata/"+w.at.Path, nil)["custom_metadata"].(map[string]any)
			custom["paistrike_rotation_period"] = "monthly"
			w.vault(http.MethodPost, "metadata/"+w.at.Path, map[string]any{"custom_metadata": custom})
			engine := w.engine(w.wire())
			seen, err := engine.Look(context.Background(), w.at)
			if err == nil {
				_, _, err = seen.Schedule()
			}
			return nil, err
		}},
		{"a human rolled back", func(w *world) ([]rotation.Message, error) {
			w.create()
			w.again()
			w.rollBack(1)
			return w.with(w.wire(), w.request(rotation.Settle, schedule.ReasonNone))
		}},
		{"a human rolled back to a token that is revoked", func(w *world) ([]rotation.Message, error) {
			w.create()
			w.again()
			w.paistrike.Clock().Advance(day)
			w.run(w.request(rotation.Settle, schedule.ReasonNone))
			w.rollBack(1)
			return w.with(w.wire(), w.request(rotation.IfDue, schedule.ReasonNone))
		}},
		{"the current version is deleted", func(w *world) ([]rotation.Message, error) {
			w.create()
			w.vault(http.MethodDelete, "data/"+w.at.Path, nil)
			return w.with(w.wire(), w.request(rotation.IfDue, schedule.ReasonNone))
		}},
		{"the history was purged", func(w *world) ([]rotation.Message, error) {
			w.create()
			w.again()
			w.vault(http.MethodDelete, "metadata/"+w.at.Path, nil)
			return w.with(w.wire(), w.request(rotation.Rotate, schedule.ReasonGone))
		}},
		{"the token was revoked elsewhere, which is an error here", func(w *world) ([]rotation.Message, error) {
			w.paistrike.Revoke(w.create())
			request := w.request(rotation.IfDue, schedule.ReasonNone)
			request.Policy.OnRevoked = schedule.OnRevokedError
			return w.with(w.wire(), request)
		}},
		{"windows were missed", func(w *world) ([]rotation.Message, error) {
			w.create()
			request := w.request(rotation.IfDue, schedule.ReasonNone)
			cron, err := schedule.ParseCron("0 3 1 * *")
			if err != nil {
				return nil, err
			}
			request.Policy = schedule.Policy{Lifetime: 90 * day, Schedule: cron, Window: time.Hour, BeforeExpiry: 14 * day}.WithDefaults()
			w.paistrike.Clock().Advance(75 * day)
			return w.with(w.wire(), request)
		}},
		{"too many replaced tokens are in their overlap", func(w *world) ([]rotation.Message, error) {
			w.create()
			for range 16 {
				w.again()
			}
			return w.with(w.wire(), w.due(schedule.ReasonPeriod))
		}},
	}
}

// rollBack writes the content of an older version again, as "vault kv rollback" does.
func (w *world) rollBack(version int) {
	w.t.Helper()
	old := w.vault(http.MethodGet, fmt.Sprintf("data/%s?version=%d", w.at.Path, version), nil)
	w.vault(http.MethodPost, "data/"+w.at.Path, map[string]any{"data": old["data"]})
}

// atDestroy destroys an entry with two working tokens while a call fails.
func atDestroy(method, part string, do does) func(w *world) ([]rotation.Message, error) {
	return func(w *world) ([]rotation.Message, error) {
		w.create()
		w.again()
		return w.destroyed(w.where(method, part, do), "resource-1")
	}
}

func (w *world) destroyed(wire http.RoundTripper, owner string) ([]rotation.Message, error) {
	result, err := w.engine(wire).Destroy(context.Background(), rotation.DestroyRequest{At: w.at, Owner: owner, Ending: entry.EndDelete})
	return result.Notes, err
}

func failuresOfDestroy() []failing {
	const internal = `{"errors":["internal error"]}`
	return []failing{
		{"destroy: one token cannot be revoked, in five attempts", atDestroy("DELETE", tokensPath, firstly(5, answers(500, `{"code":"internal"}`)))},
		{"destroy: the closing version does not arrive", atDestroy("PUT", "/secret/data/", cut)},
		{"destroy: custom metadata cannot be written", atDestroy("PATCH", "/secret/metadata/", answers(500, internal))},
		{"abandon: custom metadata cannot be written", func(w *world) ([]rotation.Message, error) {
			w.create()
			result, err := w.abandon(w.where("PATCH", "/secret/metadata/", answers(500, internal)))
			return result.Notes, err
		}},
		{"destroy: the versions cannot be deleted", atDestroy("POST", "/secret/delete/", answers(403, `{"errors":["permission denied"]}`))},
		{"destroy: the entry belongs to another resource", func(w *world) ([]rotation.Message, error) {
			w.create()
			return w.destroyed(w.wire(), "resource-2")
		}},
	}
}
