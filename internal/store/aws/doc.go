// Package aws keeps each API token as a record in one secret of AWS Secrets Manager. It
// also finds the credentials for that.
//
// It knows which calls make a publication that only one run can win, which of them may be
// repeated, and how a record and its mirror are encoded. It does not know when a token is
// due, how to handle a lost race, or anything about PAIStrike. Package rotation decides
// that and calls this package.
//
// A publication takes two calls. The first puts a version with an ID that the run chose,
// without making it current. The second moves the label AWSCURRENT to it from the version
// that was current before the token was minted, and fails if another version is current by
// then. Only the move decides: a version that was put and never became current is not
// published, whoever put it.
package aws
