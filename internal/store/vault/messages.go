package vault

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// This file contains every text that a user of this store can see. A failure has a code, a
// summary, facts, and advice. The caller adds what is true of the token.

// explain converts an error of Vault to a message for the user. It returns nil for nil.
func explain(err error) error {
	if err == nil {
		return nil
	}
	var login *LoginError
	switch {
	case errors.As(err, &login):
		return entry.NewFailure("PS309", "Vault login failed", err, "", "Check the login settings: the vault block of the provider, or the inputs of the workflow.")
	case IsSealed(err):
		return entry.NewFailure("PS301", "Vault is sealed", err, "", "Unseal Vault, then run again.")
	case isFailover(err):
		return entry.NewFailure("PS301", "Vault has no active server", err, "", "No server of the cluster became active within 30 seconds. Check the cluster, then run again.")
	case isDead(err):
		return entry.NewFailure("PS313", "Vault token is not valid", err,
			"The Vault token has expired, was revoked, has no uses left, or is mistyped.", "Log in to Vault again.")
	case isNoRoute(err):
		return entry.NewFailure("PS312", "Vault mount does not exist", err, "", "Check vault.mount.")
	case IsForbidden(err):
		return entry.NewFailure("PS302", "Vault token lacks a permission", entry.Forbidden(err), "", "Add the path in the message to the policy of the Vault token. Vault returns the same error for a path that does not exist.")
	case IsRateLimited(err):
		return entry.NewFailure("PS305", "Vault kept responding with 429", err, "", "Wait for the quota to clear, then run again.")
	case isSetting(err):
		return entry.NewFailure("PS319", "Vault's TLS settings cannot be used", err, "", "No request was sent. Correct the certificate or key in the message.")
	case StatusOf(err) == 0:
		return entry.NewFailure("PS301", "Vault cannot be reached", err, "", "Check vault.address (VAULT_ADDR), or vault_address in a workflow, and the network.")
	default:
		return entry.NewFailure("PS300", "Vault refused a request", err, "", "The message contains Vault's reason. Fix it, then run again.")
	}
}

// writeRefused returns the failure for a 403 to a publication.
func writeRefused(at entry.Location, err error) error {
	return entry.NewFailure("PS302", "Vault token lacks a permission", err, "", fmt.Sprintf("Grant the Vault token create and update on %s/data/%s.", at.Mount, at.Path))
}

func lacksCapabilities(path string, missing, has []string) error {
	return entry.NewFailure("PS302", "Vault token lacks a permission", nil,
		fmt.Sprintf("The Vault token lacks capabilities on %s: %s (it has: %s).", path, strings.Join(missing, ", "), strings.Join(has, ", ")), "Add them to its policy.")
}

func notVersioned(at entry.Location) error {
	return entry.NewFailure("PS303", "Vault mount is not KV version 2", nil,
		at.Mount+"/ is KV version 1, which has no check-and-set. Safe rotation requires version 2.",
		"Choose another mount, or upgrade it with vault kv enable-versioning.")
}

func notKV(at entry.Location) error {
	return entry.NewFailure("PS303", "Vault mount is not KV version 2", nil,
		at.Mount+"/ is another type of secrets engine. Tokens are stored in KV version 2.", "Choose another mount.")
}

func noMount(at entry.Location, err error) error {
	return entry.NewFailure("PS312", "Vault mount does not exist", errors.Join(entry.ErrNoPlace, err),
		fmt.Sprintf("Vault has no secrets engine at %s/.", at.Mount), "Check the mount, or enable a KV version 2 secrets engine there.")
}

func noUUID(at entry.Location) error {
	return entry.NewFailure("PS314", "Vault mount has no identity", nil,
		fmt.Sprintf("Vault's response about %s/ has no uuid. Without it, two Vaults with the same paths cannot be distinguished.", at.Mount),
		"Configure proxies in front of Vault to forward sys/internal/ui/mounts unchanged.")
}

func noNamespaces(namespace string) error {
	return entry.NewFailure("PS318", "Vault does not support namespaces", nil,
		fmt.Sprintf("This is Vault Community Edition, which ignores the namespace %q and would use the mount outside it.", namespace),
		"Remove the namespace: vault.namespace, VAULT_NAMESPACE, or vault_namespace in a workflow.")
}

func tokenTooShort(ttl, needed time.Duration) error {
	return entry.NewFailure("PS308", "Vault token expires too soon", nil,
		fmt.Sprintf("The Vault token expires in %s, but %s are needed to replace a token safely.", schedule.FormatDuration(ttl.Truncate(time.Second)), schedule.FormatDuration(needed)), "Log in again.")
}

func tokenUsesTooFew(left int) error {
	return entry.NewFailure("PS315", "Vault token has too few uses left", nil,
		fmt.Sprintf("The Vault token has %d uses left, but replacing a token takes up to %d.", left, usesNeeded), "Use a Vault token without a use limit (num_uses or token_num_uses = 0).")
}
