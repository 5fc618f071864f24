package main

// createSecret creates a secret, with a first version if a value is given.
func (s *session) createSecret(in createSecretInput) (any, error) {
	if err := checkName(in.Name); err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	if in.AddReplicaRegions != nil {
		return nil, refuse(invalidParameter, "This server has no replicas.")
	}
	made := &secret{
		name: in.Name, arn: s.arn(in.Name) + randomEnding(), description: text(in.Description), kmsKey: text(in.KmsKeyId),
		created: s.now, changed: s.now,
	}
	if err := s.mayCreate(in, made.arn); err != nil {
		return nil, err
	}
	what := value{text: in.SecretString, bytes: in.SecretBinary}
	if err := what.check(); err != nil {
		return nil, err
	}
	if what.given() && in.ClientRequestToken == nil {
		return nil, errNoToken
	}
	if there := s.find(wanted{name: in.Name}); there != nil {
		return again(there, text(in.ClientRequestToken), what)
	}
	made.tags = made.tags.with(in.Tags)
	if err := made.tags.check(); err != nil {
		return nil, err
	}
	out := versioned{named: named{ARN: made.arn, Name: made.name}}
	if what.given() {
		out.VersionId = *in.ClientRequestToken
		if err := made.put(out.VersionId, what, nil, s.now); err != nil {
			return nil, err
		}
	}
	s.secrets = append(s.secrets, made)
	s.note(made, s.now)
	return out, nil
}

var errNoToken = refuse(invalidRequest, "You must provide a ClientRequestToken value. We recommend a UUID-type value.")

// mayCreate checks IAM: "If you include tags in the secret, you also need
// secretsmanager:TagResource".
func (s *session) mayCreate(in createSecretInput, arn string) error {
	own := conditionKeys{}
	own.add("secretsmanager:Name", in.Name)
	addPointer(own, "secretsmanager:Description", in.Description)
	addKMSKey(own, in.KmsKeyId)
	addTags(own, in.Tags)
	if err := s.allowed("CreateSecret", in.Name, arn, s.keys(own)); err != nil || len(in.Tags) == 0 {
		return err
	}
	return s.allowed("TagResource", in.Name, arn, s.keys(own))
}

// again answers a create for an existing name. The same token with the same value is the same
// request.
func again(there *secret, token string, what value) (any, error) {
	if !there.deleted.IsZero() {
		return nil, refuse(invalidRequest, "You can't create this secret because a secret with this name is already scheduled for deletion.")
	}
	if same := there.version(token); same != nil && same.value.equal(what) {
		return versioned{named: named{ARN: there.arn, Name: there.name}, VersionId: token}, nil
	}
	return nil, refuse(resourceExists, "The operation failed because the secret %s already exists.", there.name)
}

// updateSecret updates a secret's metadata, and adds a version if a value is given. "If you
// call this operation with a ClientRequestToken that matches an existing version's VersionId,
// the operation results in an error".
func (s *session) updateSecret(in updateSecretInput) (any, error) {
	own := conditionKeys{}
	addPointer(own, "secretsmanager:Description", in.Description)
	addKMSKey(own, in.KmsKeyId)
	found, err := s.live("UpdateSecret", in.target, own)
	if err != nil {
		return nil, err
	}
	what := value{text: in.SecretString, bytes: in.SecretBinary}
	if err := what.check(); err != nil {
		return nil, err
	}
	out := versioned{named: named{ARN: found.arn, Name: found.name}}
	if what.given() {
		if in.ClientRequestToken == nil {
			return nil, errNoToken
		}
		out.VersionId = *in.ClientRequestToken
		if found.version(out.VersionId) != nil {
			return nil, refuse(resourceExists, "A resource with the ID you requested already exists.")
		}
		if err := found.put(out.VersionId, what, nil, s.now); err != nil {
			return nil, err
		}
	}
	if in.Description != nil {
		found.description = *in.Description
	}
	if in.KmsKeyId != nil { // "If you set this to an empty string, Secrets Manager uses the AWS managed key"
		found.kmsKey = *in.KmsKeyId
	}
	found.changed = s.now
	s.note(found, s.now)
	return out, nil
}
