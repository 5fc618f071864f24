// Package rotation owns the life of one PAIStrike token: when it is due
// ([Evaluate]), how it is replaced without a moment in which a consumer has
// none ([Engine.Run]), and how it ends ([Engine.Destroy]).
//
// The rules that everything here keeps:
//
//   - I1 the current version of an entry is absent, a tombstone, or carries a verified
//     token that this package has not revoked;
//   - I2 a token that was current is not revoked before its overlap is over, except on
//     destroy or when the user declares it compromised;
//   - I3 every token of a slot is current, retiring, in flight, or revoked by the
//     next successful run;
//   - I4 a failed run changes nothing that a consumer sees;
//   - I5 no secret in state, plan, log, error or metadata;
//   - I6 every run converges, without manual clean-up; only tokens in use that the store
//     never published wait for a person's word (adopt);
//   - I7 nothing is revoked on a store's word: a token ends only if PAIStrike lists it
//     under a name of this slot, or under exactly the name that this run sent, or if the
//     user named its id; and never the token that the run itself uses;
//   - I8 "revoked", "not there" and "all done" are said only of what was seen: a revoked
//     token is read again, and a list is complete or refused.
//
// No lock and no second store is needed: the check-and-set of the secret store decides
// who publishes, and the name of each token carries the slot (which entry of which store)
// and the generation that it was minted for, so that an orphan is recognized by a number
// and not by a clock. The record names the owner of the entry, who alone ends it.
//
// The Terraform provider and the GitHub Action both call this package; it calls
// PAIStrike and the secret store through [Tokens] and [Store] and knows neither Terraform
// nor GitHub nor any store's wire.
package rotation
