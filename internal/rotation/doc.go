// Package rotation manages the life of one PAIStrike token: it rotates the token without a
// moment in which a consumer has none ([Engine.Run]), and ends it ([Engine.Destroy]).
// [schedule.Evaluate] decides when a token is due.
//
// The package guarantees these invariants:
//
//   - I1 the current version of an entry is absent, a tombstone, or contains a verified
//     token that this package has not revoked;
//   - I2 a token that was current is not revoked before its overlap is over, except on
//     destroy or when the user declares it compromised;
//   - I3 every token of a slot is current, retiring, in flight, or revoked by the
//     next successful run;
//   - I4 a failed run changes nothing that a consumer sees;
//   - I5 no secret is in state, plan, log, error or metadata;
//   - I6 every run converges without manual cleanup; only tokens in use that the store
//     never published wait until a person adopts them;
//   - I7 nothing is revoked because the store says so: a token ends only if PAIStrike lists
//     it under a name of this slot, or under exactly the name that this run sent, or if the
//     user named its ID; and never if it is the token that the run itself uses;
//   - I8 "revoked", "not there" and "all done" are reported only if they were observed: a
//     revoked token is read again, and a list is complete or rejected.
//
// There is no lock and no second store: the check-and-set of the secret store decides who
// publishes. The name of each token contains its slot (which entry of which store) and the
// generation that it was minted for, so an orphan is recognized by a number and not by a
// clock. Only the owner that the record names may end the entry.
//
// The Terraform provider and the GitHub Action both call this package. It calls PAIStrike
// and the secret store through [Tokens] and [Store], and does not depend on Terraform,
// GitHub, or the wire format of any store.
package rotation
