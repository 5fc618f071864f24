package main

import (
	"errors"
	"strconv"
	"time"
)

// AWS's recovery window, in days: "from 7 to 30"; "defaults to a 30 day recovery window".
const (
	shortestWindow = 7
	longestWindow  = 30
)

func (s *session) deleteSecret(in deleteSecretInput) (any, error) {
	own := conditionKeys{}
	own.add("secretsmanager:ForceDeleteWithoutRecovery", strconv.FormatBool(in.ForceDeleteWithoutRecovery))
	days := int64(longestWindow)
	if in.RecoveryWindowInDays != nil {
		days = *in.RecoveryWindowInDays
		own.add("secretsmanager:RecoveryWindowInDays", strconv.FormatInt(days, 10))
	}
	found, err := s.secret("DeleteSecret", in.target, own)
	switch {
	case in.ForceDeleteWithoutRecovery && in.RecoveryWindowInDays != nil:
		return nil, refuse(invalidParameter, "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
	case in.RecoveryWindowInDays != nil && (days < shortestWindow || days > longestWindow):
		return nil, refuse(invalidParameter, "The RecoveryWindowInDays value must be between %d and %d days (inclusive).", shortestWindow, longestWindow)
	case in.ForceDeleteWithoutRecovery && errors.Is(err, errNoSecret):
		return s.deleteNothing(in.target)
	case err != nil:
		return nil, err
	}
	out := deleteSecretOutput{named: named{ARN: found.arn, Name: found.name}}
	if in.ForceDeleteWithoutRecovery {
		s.remove(found, s.now)
		out.DeletionDate = stamp(s.now)
		return out, nil
	}
	if !found.deleted.IsZero() {
		return nil, refuse(invalidRequest, "You can't perform this operation on the secret because it was already scheduled for deletion.")
	}
	found.deleted, found.ends, found.changed = s.now, s.now.Add(time.Duration(days)*24*time.Hour), s.now
	s.note(found, s.now)
	out.DeletionDate = stamp(found.ends)
	return out, nil
}

// deleteNothing answers a forced deletion of a secret that does not exist: "If you forcibly
// delete an already deleted or nonexistent secret, the operation does not return
// ResourceNotFoundException".
func (s *session) deleteNothing(in target) (any, error) {
	w, err := s.want(in.SecretId)
	if err != nil {
		return nil, err
	}
	out := deleteSecretOutput{named: named{ARN: w.arn, Name: w.name}, DeletionDate: stamp(s.now)}
	if out.ARN == "" {
		out.ARN = s.arn(w.name) + randomEnding()
	}
	return out, nil
}

// restoreSecret cancels a deletion. It has no effect on a secret that is not scheduled for
// deletion.
func (s *session) restoreSecret(in restoreSecretInput) (any, error) {
	found, err := s.secret("RestoreSecret", in.target, nil)
	if err != nil {
		return nil, err
	}
	if !found.deleted.IsZero() {
		found.deleted, found.ends, found.changed = time.Time{}, time.Time{}, s.now
		s.note(found, s.now)
	}
	return named{ARN: found.arn, Name: found.name}, nil
}
