package main

func (s *session) describeSecret(in describeSecretInput) (any, error) {
	found, err := s.secret("DescribeSecret", in.target, nil)
	if err != nil {
		return nil, err
	}
	return describeSecretOutput{
		named: named{ARN: found.arn, Name: found.name}, Description: found.description, KmsKeyId: found.kmsKey,
		CreatedDate: stamp(found.created), LastChangedDate: stamp(found.changed), LastAccessedDate: stamp(found.accessed),
		// "The date the secret is scheduled for deletion."
		DeletedDate: stamp(found.ends), Tags: found.tags, VersionIdsToStages: found.versionStages(),
	}, nil
}

// listSecretVersionIds lists versions without a label only with IncludeDeprecated.
func (s *session) listSecretVersionIds(in listSecretVersionIdsInput) (any, error) {
	found, err := s.secret("ListSecretVersionIds", in.target, nil)
	if err != nil {
		return nil, err
	}
	entries := []versionEntry{}
	for _, v := range found.versions {
		labels := found.stages.of(v.id)
		if labels == nil && !in.IncludeDeprecated {
			continue
		}
		key := v.kmsKey
		if key == "" {
			key = "DefaultEncryptionKey" // AWS's name for aws/secretsmanager in this list
		}
		entries = append(entries, versionEntry{
			VersionId: v.id, VersionStages: labels, CreatedDate: stamp(v.created), LastAccessedDate: stamp(v.accessed), KmsKeyIds: []string{key},
		})
	}
	part, next, err := page(entries, in.NextToken, in.MaxResults, 100)
	if err != nil {
		return nil, err
	}
	return listSecretVersionIdsOutput{named: named{ARN: found.arn, Name: found.name}, Versions: part, NextToken: next}, nil
}
