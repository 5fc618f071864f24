package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

// The published policies suffice for a token's whole life and allow nothing else. Vault's
// audit log never contains a secret.
func TestPublishedPoliciesSuffice(t *testing.T) {
	t.Parallel()
	eachCLI(t, func(t *testing.T, program string) {
		s := newStronghold(t, program)
		secretID := s.appRole(t, "provisioner")
		first := []string{"-var", "overlap=1s"}
		s.apply(t, first...)
		s.planEmpty(t, first...)
		consumer := s.token(t, "consumer")
		before, _ := s.read(t, consumer)

		second := append(first, "-var", "incident=laptop lost")
		s.apply(t, second...)
		after, _ := s.read(t, consumer)
		if after == before || s.use(t, after) != http.StatusOK {
			t.Fatal("the rotation did not bring a new secret that works")
		}
		until(t, "the overlap of one second is over, and the old secret refused", func() bool {
			s.apply(t, second...)
			return s.use(t, before) == http.StatusUnauthorized
		})
		s.planEmpty(t, second...)
		s.consumerMayOnlyRead(t, consumer)

		s.destroy(t, second...)
		if _, status := s.read(t, consumer); status != http.StatusNotFound || s.active() > 0 {
			t.Errorf("after destroy the secret gets %d, and %d tokens are active", status, s.active())
		}
		s.searchAuditLog(t, secretID, consumer)
	})
}

func (s *stronghold) consumerMayOnlyRead(t *testing.T, consumer string) {
	t.Helper()
	if secret, status := s.read(t, consumer); status != http.StatusOK || s.use(t, secret) != http.StatusOK {
		t.Errorf("the consumer reads its secret with %d", status)
	}
	s.server.Must(t, http.MethodPost, "secret/data/ci/other", s.root, map[string]any{"data": map[string]string{"x": "y"}}, nil)
	data := map[string]any{"data": map[string]string{"token": "x"}}
	versions := map[string]any{"versions": []int{1}}
	for _, try := range []struct {
		method, path string
		body         any
	}{
		{http.MethodPost, "secret/data/ci/paistrike", data},
		{http.MethodPatch, "secret/data/ci/paistrike", data},
		{http.MethodDelete, "secret/data/ci/paistrike", nil},
		{http.MethodPost, "secret/delete/ci/paistrike", versions},
		{http.MethodPost, "secret/undelete/ci/paistrike", versions},
		{http.MethodPut, "secret/destroy/ci/paistrike", versions},
		{http.MethodGet, "secret/metadata/ci/paistrike", nil},
		{http.MethodPatch, "secret/metadata/ci/paistrike", map[string]any{"custom_metadata": map[string]string{"x": "y"}}},
		{http.MethodDelete, "secret/metadata/ci/paistrike", nil},
		{http.MethodGet, "secret/metadata/ci?list=true", nil},
		{http.MethodGet, "secret/data/ci/other", nil},
		{http.MethodGet, "secret/config", nil},
		{http.MethodGet, "sys/mounts", nil},
		{http.MethodGet, "sys/policies/acl/provisioner", nil},
	} {
		if status := s.server.Ask(t, try.method, try.path, consumer, try.body, nil); status != http.StatusForbidden {
			t.Errorf("the consumer gets %d for %s %s", status, try.method, try.path)
		}
	}
}

// A plan needs no permission to read the secret, and cannot write.
func TestPlanOnlyPolicyPlans(t *testing.T) {
	t.Parallel()
	eachCLI(t, func(t *testing.T, program string) {
		s := newStronghold(t, program)
		planner := s.token(t, "plan-only")
		s.tf.Setenv("VAULT_TOKEN=" + planner)
		if changes := s.plan(t); len(changes) != 1 {
			t.Fatalf("the first plan is not one token: %+v", changes)
		}
		s.refused(t, "PS302")
		if s.creates() > 0 {
			t.Error("a token was asked for that could not have been stored")
		}

		s.tf.Setenv("VAULT_TOKEN=" + s.token(t, "provisioner"))
		s.apply(t)
		s.tf.Setenv("VAULT_TOKEN=" + planner)
		s.planEmpty(t)
		if changes := s.plan(t, "-var", "incident=laptop lost"); len(changes) != 1 || changes[0].After["rotation_reason"] != "triggers_changed" {
			t.Errorf("the plan does not show the rotation: %+v", changes)
		}
		if _, status := s.read(t, planner); status != http.StatusForbidden {
			t.Errorf("the planner reads the secret with %d", status)
		}
		s.refused(t, "PS302", "-var", "incident=laptop lost")
		if s.creates() != 1 {
			t.Errorf("%d tokens were asked for, want the first alone", s.creates())
		}
	})
}

// If Vault cannot store a token, the apply fails before a token exists. After Vault is fixed,
// the next apply succeeds.
func TestVaultThatCannotStore(t *testing.T) {
	t.Parallel()
	eachCLI(t, func(t *testing.T, program string) {
		s := newStronghold(t, program)

		s.policy(t, "no-patch", strings.Replace(published(t, "policies/provisioner.hcl"), `["read", "patch"]`, `["read"]`, 1))
		s.tf.Setenv("VAULT_TOKEN=" + s.token(t, "no-patch"))
		s.refused(t, "PS302")

		s.server.Must(t, http.MethodPost, "sys/mounts/old", s.root, map[string]any{"type": "kv", "options": map[string]string{"version": "1"}}, nil)
		s.write(t, "main.tf", strings.Replace(ci, `mount = "secret"`, `mount = "old"`, 1))
		s.tf.Setenv("VAULT_TOKEN=" + s.root)
		s.refused(t, "PS303")

		s.write(t, "main.tf", ci)
		s.tf.Setenv("VAULT_TOKEN=" + s.token(t, "provisioner"))
		s.plan(t)
		s.server.Seal(t)
		out, err := s.tf.Run(t.Context(), "apply", "-no-color", tfcli.PlanFile)
		if err == nil || !strings.Contains(out.Stderr, "PS301:") || !strings.Contains(out.Stderr, "Vault is sealed") {
			t.Errorf("want PS301, got: %v", err)
		}
		if s.creates() > 0 {
			t.Errorf("%d tokens were asked for, and none could be stored", s.creates())
		}
		s.server.Unseal(t)
		s.apply(t)
		s.planEmpty(t)
		if s.active() != 1 || s.creates() != 1 {
			t.Errorf("%d tokens are active after %d creates, want one", s.active(), s.creates())
		}
	})
}
