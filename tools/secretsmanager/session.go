package main

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// session is one request to Secrets Manager, with exclusive access to the store.
type session struct {
	*region
	who *principal
	now time.Time
	lag time.Duration // of ListSecrets
}

// secret returns the requested secret if the caller has permission. IAM is checked first, so
// that a caller without permission does not learn whether the secret exists. A secret that
// does not exist has no tags, and an ARN without a suffix.
func (s *session) secret(action string, in target, own conditionKeys) (*secret, error) {
	w, err := s.want(in.SecretId)
	if err != nil {
		return nil, err
	}
	found := s.find(w)
	keys := s.keys(own)
	resource := w.arn
	if resource == "" {
		resource = s.arn(w.name)
	}
	if found != nil {
		resource = found.arn
		addResourceTags(keys, found.tags)
	}
	keys.add("secretsmanager:SecretId", resource)
	if err := s.allowed(action, in.SecretId, resource, keys); err != nil {
		return nil, err
	}
	if found == nil {
		return nil, errNoSecret
	}
	return found, nil
}

// live is like secret, for operations that a deletion blocks: "When a secret is scheduled for
// deletion, you cannot retrieve the secret value".
func (s *session) live(action string, in target, own conditionKeys) (*secret, error) {
	found, err := s.secret(action, in, own)
	if err == nil && !found.deleted.IsZero() {
		return nil, errDeleted
	}
	return found, err
}

// keys returns the condition keys of the caller, the region and the request.
func (s *session) keys(own conditionKeys) conditionKeys {
	keys := s.who.keys()
	keys.add("aws:RequestedRegion", s.region.region)
	keys.add("aws:ResourceAccount", s.account)
	keys.add("aws:SecureTransport", "true") // AWS requires TLS; loopback does not
	keys.add("aws:CurrentTime", s.now.Format(time.RFC3339))
	keys.add("secretsmanager:SecretPrimaryRegion", s.region.region)
	for name, values := range own {
		keys.add(name, values...)
	}
	return keys
}

func (s *session) allowed(action, shown, resource string, keys conditionKeys) error {
	action = "secretsmanager:" + action
	a := ask{action: action, resource: resource, keys: keys}
	v := s.who.may(a)
	if v == allow {
		return nil
	}
	kind := "identity-based"
	if evaluate(s.who.policies, a) == allow {
		kind = "session"
	}
	return denial(s.who.ARN, action, shown, v, kind)
}

func addResourceTags(keys conditionKeys, tags tagSet) {
	for _, t := range tags {
		keys.add("aws:ResourceTag/"+*t.Key, *t.Value)
		keys.add("secretsmanager:ResourceTag/"+*t.Key, *t.Value)
	}
}

// addTags adds the condition keys of tags in a request.
func addTags(keys conditionKeys, tags []tag) {
	for _, t := range tags {
		keys.add("aws:RequestTag/"+*t.Key, *t.Value)
		keys.add("aws:TagKeys", *t.Key)
	}
}

func addPointer(keys conditionKeys, name string, value *string) {
	if value != nil {
		keys.add(name, *value)
	}
}

// addKMSKey adds the condition keys of a KMS key, which is accepted unchecked.
func addKMSKey(keys conditionKeys, id *string) {
	addPointer(keys, "secretsmanager:KmsKeyId", id)
	if id != nil && strings.HasPrefix(*id, "arn:") {
		keys.add("secretsmanager:KmsKeyArn", *id)
	}
}

// page returns a page of a list. The token is the index at which to continue.
func page[T any](list []T, token *string, most *int64, usual int) (part []T, next string, err error) {
	from, size := 0, usual
	if token != nil {
		if from, err = strconv.Atoi(*token); err != nil || from <= 0 || from > len(list) {
			return nil, "", refuse(invalidNextToken, "The NextToken value is invalid.")
		}
	}
	if most != nil {
		size = int(*most)
	}
	if to := from + size; to < len(list) {
		return slices.Clone(list[from:to]), strconv.Itoa(to), nil
	}
	return slices.Clone(list[from:]), "", nil
}

func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}
