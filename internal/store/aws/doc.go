// Package aws owns what this project does with AWS Secrets Manager: it finds
// credentials, and keeps one API token as a record in one secret.
//
// It knows which calls make a publication that only one run can win, which of them may
// be repeated, and how a record and its mirror are laid out. It does not know when a
// token is due, what to do about a lost race, or anything of PAIStrike: package rotation
// decides that and calls here.
//
// A publication takes two calls. The first puts a version whose id is the run's own,
// without making it current. The second moves the label AWSCURRENT to it from the version
// that was current before the token was minted, and fails if another is current by then.
// The move alone decides: a version that was put and never became current is not
// published, whoever put it.
package aws
