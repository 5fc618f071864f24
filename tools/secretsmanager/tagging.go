package main

func (s *session) tagResource(in tagResourceInput) (any, error) {
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	own := conditionKeys{}
	addTags(own, in.Tags)
	return s.retag("TagResource", in.target, own, func(before tagSet) tagSet { return before.with(in.Tags) })
}

func (s *session) untagResource(in untagResourceInput) (any, error) {
	if err := checkTagKeys(in.TagKeys); err != nil {
		return nil, err
	}
	own := conditionKeys{}
	for _, key := range in.TagKeys {
		own.add("aws:TagKeys", string(key))
	}
	return s.retag("UntagResource", in.target, own, func(before tagSet) tagSet { return before.without(in.TagKeys) })
}

// retag changes the tags. "If successfully completing this operation would result
// in you losing your permissions for this secret, then the operation is blocked and
// returns an Access Denied error": the caller must still have the right to do this
// when it is done.
func (s *session) retag(action string, in target, own conditionKeys, change func(tagSet) tagSet) (any, error) {
	found, err := s.live(action, in, own)
	if err != nil {
		return nil, err
	}
	after := change(found.tags)
	if err := after.check(); err != nil {
		return nil, err
	}
	keys := s.keys(own)
	keys.add("secretsmanager:SecretId", found.arn)
	addResourceTags(keys, after)
	if err := s.allowed(action, in.SecretId, found.arn, keys); err != nil {
		return nil, err
	}
	found.tags, found.changed = after, s.now
	s.note(found, s.now)
	return nil, nil
}
