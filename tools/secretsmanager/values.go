package main

func (s *session) putSecretValue(in putSecretValueInput) (any, error) {
	found, err := s.live("PutSecretValue", in.target, nil)
	if err != nil {
		return nil, err
	}
	what := value{text: in.SecretString, bytes: in.SecretBinary}
	if err := what.check(); err != nil {
		return nil, err
	}
	switch {
	case !what.given():
		return nil, refuse(invalidRequest, "You must provide either SecretString or SecretBinary.")
	case in.ClientRequestToken == nil:
		return nil, errNoToken
	}
	id := *in.ClientRequestToken
	if err := found.put(id, what, in.VersionStages, s.now); err != nil {
		return nil, err
	}
	s.note(found, s.now)
	return versioned{named: named{ARN: found.arn, Name: found.name}, VersionId: id, VersionStages: found.stages.of(id)}, nil
}

func (s *session) getSecretValue(in getSecretValueInput) (any, error) {
	own := conditionKeys{}
	addPointer(own, "secretsmanager:VersionId", in.VersionId)
	addPointer(own, "secretsmanager:VersionStage", in.VersionStage)
	if in.VersionId == nil && in.VersionStage == nil { // policies for AWSCURRENT allow such requests
		own.add("secretsmanager:VersionStage", current)
	}
	found, err := s.live("GetSecretValue", in.target, own)
	if err != nil {
		return nil, err
	}
	at, err := found.read(text(in.VersionId), text(in.VersionStage))
	if err != nil {
		return nil, err
	}
	first := found.accessed
	found.touch(at, s.now)
	if !found.accessed.Equal(first) {
		s.note(found, s.now)
	}
	return secretValue{
		named: named{ARN: found.arn, Name: found.name}, VersionId: at.id, VersionStages: found.stages.of(at.id),
		SecretString: at.value.text, SecretBinary: at.value.bytes, CreatedDate: stamp(at.created),
	}, nil
}

// batchGetSecretValue requires its own permission, and GetSecretValue for each secret. Secrets
// that cannot be read are among the errors.
func (s *session) batchGetSecretValue(in batchGetSecretValueInput) (any, error) {
	if err := s.allowed("BatchGetSecretValue", "*", "*", s.keys(nil)); err != nil {
		return nil, err
	}
	if (in.SecretIdList == nil) == (in.Filters == nil) {
		return nil, refuse(invalidParameter, "You must include Filters or SecretIdList, but not both.")
	}
	ids, next := in.SecretIdList, ""
	if in.Filters != nil {
		if err := s.allowed("ListSecrets", "*", "*", s.keys(nil)); err != nil {
			return nil, err
		}
		entries, token, err := page(filtered(s.listings(s.now.Add(-s.lag)), in.Filters, false), in.NextToken, in.MaxResults, 20)
		if err != nil {
			return nil, err
		}
		next = token
		for _, entry := range entries {
			ids = append(ids, secretID(entry.ARN))
		}
	}
	out := batchOutput{SecretValues: []secretValue{}, NextToken: next}
	for _, id := range ids {
		got, err := s.getSecretValue(getSecretValueInput{target: target{SecretId: string(id)}})
		if read, ok := got.(secretValue); ok {
			out.SecretValues = append(out.SecretValues, read)
			continue
		}
		f := asFailure(err)
		out.Errors = append(out.Errors, batchError{SecretId: string(id), ErrorCode: f.kind, Message: f.message})
	}
	return out, nil
}

func (s *session) updateSecretVersionStage(in updateSecretVersionStageInput) (any, error) {
	own := conditionKeys{}
	own.add("secretsmanager:VersionStage", in.VersionStage)
	found, err := s.live("UpdateSecretVersionStage", in.target, own)
	if err != nil {
		return nil, err
	}
	from, to := text(in.RemoveFromVersionId), text(in.MoveToVersionId)
	for _, id := range []string{from, to} {
		if id != "" && found.version(id) == nil {
			return nil, refuse(notFound, "Secrets Manager can't find the specified secret version: %s", id)
		}
	}
	after, err := found.stages.move(in.VersionStage, from, to)
	if err != nil {
		return nil, err
	}
	found.stages, found.changed = after, s.now
	s.note(found, s.now)
	return named{ARN: found.arn, Name: found.name}, nil
}
