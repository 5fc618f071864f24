// Package rotation owns the life of one PAIStrike token: when it is due
// ([Evaluate]), how it is replaced without a moment in which a consumer has
// none ([Engine.Run]), and how it ends ([Engine.Destroy]).
//
// The rules that everything here keeps:
//
//   - I1 the current Vault version is absent, a tombstone, or carries a verified
//     token that this package has not revoked;
//   - I2 a token that was current is not revoked before its overlap is over,
//     except on destroy;
//   - I3 every token of a slot is current, retiring, in flight, or revoked by the
//     next successful run;
//   - I4 a failed run changes nothing that a consumer sees;
//   - I5 no secret in state, plan, log, error or metadata;
//   - I6 every run converges, no manual clean-up is ever needed.
//
// No lock and no second store is needed: Vault's check-and-set decides who
// publishes, and the name of each token carries the Vault version it was minted
// for, so that an orphan is recognised by a version number and not by a clock.
//
// The Terraform provider and the GitHub Action both call this package; it calls
// PAIStrike and Vault through [Tokens] and [Store] and knows neither Terraform
// nor GitHub.
package rotation
