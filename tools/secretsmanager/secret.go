package main

import (
	"slices"
	"time"
)

// secret is one secret of a region.
type secret struct {
	name, arn   string
	description string
	kmsKey      string // "" = aws/secretsmanager
	tags        tagSet
	versions    []*version // oldest first
	stages      stages
	created     time.Time
	changed     time.Time
	accessed    time.Time // day of the last read; zero if never
	deleted     time.Time // time of DeleteSecret; zero if not deleted
	ends        time.Time // end of the recovery window
	history     []listed  // entries in ListSecrets, oldest first
}

// listed is an entry of ListSecrets from a time on.
type listed struct {
	from  time.Time
	entry secretListEntry
}

func (s *secret) version(id string) *version {
	if i := slices.IndexFunc(s.versions, func(v *version) bool { return v.id == id }); i >= 0 {
		return s.versions[i]
	}
	return nil
}

// put adds a version, unless it exists: "If a version with this value already exists and that
// version's SecretString or SecretBinary values are the same as those in the request then the
// request is ignored".
func (s *secret) put(id string, what value, labels []stage, now time.Time) error {
	if there := s.version(id); there != nil {
		if there.value.equal(what) {
			return nil
		}
		return refuse(resourceExists, "You can't use ClientRequestToken %s because that value is already in use for a version of secret %s.", id, s.arn)
	}
	after, err := s.stages.put(id, labels)
	if err != nil {
		return err
	}
	added := &version{id: id, value: what, created: now, kmsKey: s.kmsKey}
	left := keep(append(slices.Clone(s.versions), added), after, now)
	if len(left) > maxVersions {
		return refuse(limitExceeded, "You can't have more than %d versions of a secret, and none of those without a staging label is older than 24 hours.", maxVersions)
	}
	s.versions, s.stages, s.changed = left, after, now
	return nil
}

// versionStages returns the labels of each version with labels.
func (s *secret) versionStages() map[string][]string {
	var all map[string][]string
	for _, v := range s.versions {
		if labels := s.stages.of(v.id); labels != nil {
			if all == nil {
				all = map[string][]string{}
			}
			all[v.id] = labels
		}
	}
	return all
}

// read returns the requested version: "If you don't specify either a VersionStage or
// VersionId, then Secrets Manager returns the AWSCURRENT version".
func (s *secret) read(id, label string) (*version, error) {
	if id == "" && label == "" {
		label = current
	}
	if id == "" {
		at := s.version(s.stages[label])
		if at == nil {
			return nil, refuse(notFound, "Secrets Manager can't find the specified secret value for staging label: %s", label)
		}
		return at, nil
	}
	at := s.version(id)
	switch {
	case at == nil:
		return nil, refuse(notFound, "Secrets Manager can't find the specified secret value for VersionId: %s", id)
	case label != "" && s.stages[label] != id:
		return nil, refuse(invalidRequest, "You provided a VersionStage that is not associated to the provided VersionId.")
	}
	return at, nil
}

// touch records that a version was read. AWS records only the day.
func (s *secret) touch(v *version, now time.Time) {
	day := now.Truncate(24 * time.Hour)
	s.accessed, v.accessed = day, day
}

// listing returns the secret's entry in ListSecrets.
func (s *secret) listing(region string) secretListEntry {
	return secretListEntry{
		ARN: s.arn, Name: s.name, Description: s.description, KmsKeyId: s.kmsKey, Tags: slices.Clone(s.tags),
		CreatedDate: stamp(s.created), LastChangedDate: stamp(s.changed), LastAccessedDate: stamp(s.accessed),
		// "The date and time the deletion of the secret occurred."
		DeletedDate: stamp(s.deleted), SecretVersionsToStages: s.versionStages(), region: region,
	}
}
