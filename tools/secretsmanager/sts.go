package main

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	stsNamespace       = "https://sts.amazonaws.com/doc/2011-06-15/"
	defaultSession     = time.Hour
	shortestSession    = 15 * time.Minute
	validationError    = "ValidationError" // STS's name for it
	malformedPolicy    = "MalformedPolicyDocument"
	assumeRole         = "sts:AssumeRole"
	assumeWithIdentity = "sts:AssumeRoleWithWebIdentity"
)

var sessionNameRule = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)

// stsOutput is the answer of STS. The operation determines which members are set.
type stsOutput struct {
	Credentials                 *stsCredentials `xml:",omitempty"`
	AssumedRoleUser             *stsRoleUser    `xml:",omitempty"`
	SubjectFromWebIdentityToken string          `xml:",omitempty"`
	Audience                    string          `xml:",omitempty"`
	Provider                    string          `xml:",omitempty"`
	SourceIdentity              string          `xml:",omitempty"`
	Arn                         string          `xml:",omitempty"`
	UserID                      string          `xml:"UserId,omitempty"`
	Account                     string          `xml:",omitempty"`
}

type stsCredentials struct {
	AccessKeyID     string `xml:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      string
}

type stsRoleUser struct {
	AssumedRoleID string `xml:"AssumedRoleId"`
	Arn           string
}

// sts performs an STS operation. who is nil for AssumeRoleWithWebIdentity, whose requests are
// not signed.
func (s *server) sts(operation string, form url.Values, who *principal, now time.Time) (stsOutput, error) {
	switch operation {
	case "GetCallerIdentity": // "No permissions are required to perform this operation."
		return stsOutput{Arn: who.ARN, UserID: who.userID, Account: who.AccountID}, nil
	case "AssumeRole":
		return s.assumeRole(form, who, now)
	case "AssumeRoleWithWebIdentity":
		return s.assumeWithIdentity(form, now)
	}
	return stsOutput{}, refuse("InvalidAction", "Could not find operation %s for version 2011-06-15", operation)
}

func (s *server) assumeRole(form url.Values, who *principal, now time.Time) (stsOutput, error) {
	for _, name := range []string{"SerialNumber", "TokenCode"} {
		if form.Get(name) != "" {
			return stsOutput{}, refuse(validationError, "This server has no %s.", name)
		}
	}
	tags, err := sessionTags(form)
	if err != nil {
		return stsOutput{}, err
	}
	keys := who.keys()
	addIfGiven(keys, "sts:ExternalId", form.Get("ExternalId"))
	addIfGiven(keys, "sts:RoleSessionName", form.Get("RoleSessionName"))
	addIfGiven(keys, "sts:SourceIdentity", form.Get("SourceIdentity"))
	addTags(keys, tags)
	actions := []string{assumeRole}
	if len(tags) > 0 {
		actions = append(actions, "sts:TagSession")
	}
	if form.Get("SourceIdentity") != "" {
		actions = append(actions, "sts:SetSourceIdentity")
	}
	arn := form.Get("RoleArn")
	r, known := s.identities.role(arn)
	for _, action := range actions {
		a := ask{action: action, resource: arn, keys: keys}
		trusted, byName := r.trusts(a, who.asAWS)
		own := who.may(a)
		// As in AWS, the error does not reveal whether the role exists.
		if !known || trusted != allow || own == explicitDeny || own != allow && !byName {
			return stsOutput{}, refuse("AccessDenied", "User: %s is not authorized to perform: %s on resource: %s", who.ARN, action, arn)
		}
	}
	out, err := s.session(form, r, tags, now)
	out.SourceIdentity = form.Get("SourceIdentity")
	return out, err
}

func (s *server) assumeWithIdentity(form url.Values, now time.Time) (stsOutput, error) {
	claimed, from, err := s.identities.verifyToken(form.Get("WebIdentityToken"), now)
	if err != nil {
		return stsOutput{}, err
	}
	keys := claimed.conditionKeys(from.host())
	addIfGiven(keys, "sts:RoleSessionName", form.Get("RoleSessionName"))
	r, known := s.identities.role(form.Get("RoleArn"))
	trusted, _ := r.trusts(ask{action: assumeWithIdentity, keys: keys}, from.asFederated(s.identities.account))
	if !known || trusted != allow {
		return stsOutput{}, refuse("AccessDenied", "Not authorized to perform %s", assumeWithIdentity)
	}
	out, err := s.session(form, r, nil, now)
	out.SubjectFromWebIdentityToken, out.Audience = claimed.text("sub"), strings.Join(claimed.texts("aud"), ",")
	out.Provider = "arn:aws:iam::" + s.identities.account + ":oidc-provider/" + from.host()
	return out, err
}

// session validates the duration and policies of a session and creates it.
func (s *server) session(form url.Values, r role, tags tagSet, now time.Time) (stsOutput, error) {
	name := form.Get("RoleSessionName")
	if !sessionNameRule.MatchString(name) {
		return stsOutput{}, refuse(validationError, "1 validation error detected: Value '%s' at 'roleSessionName' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: [\\w+=,.@-]*", name)
	}
	lasts, err := sessionDuration(form.Get("DurationSeconds"), time.Duration(r.MaxSessionDuration))
	if err != nil {
		return stsOutput{}, err
	}
	limits, err := sessionPolicies(form)
	if err != nil {
		return stsOutput{}, err
	}
	who := s.identities.open(r, name, now.Add(lasts), limits, tags)
	return stsOutput{
		Credentials: &stsCredentials{
			AccessKeyID: who.AccessKeyID, SecretAccessKey: who.secretKey, SessionToken: who.sessionToken,
			Expiration: who.expires.Format(time.RFC3339),
		},
		AssumedRoleUser: &stsRoleUser{AssumedRoleID: who.userID, Arn: who.ARN},
	}, nil
}

func sessionDuration(text string, most time.Duration) (time.Duration, error) {
	if most == 0 {
		most = defaultSession
	}
	if text == "" {
		return min(defaultSession, most), nil
	}
	seconds, err := strconv.Atoi(text)
	lasts := time.Duration(seconds) * time.Second
	switch {
	case err != nil || lasts < shortestSession:
		return 0, refuse(validationError, "1 validation error detected: Value '%s' at 'durationSeconds' failed to satisfy constraint: "+
			"Member must have value greater than or equal to 900", text)
	case lasts > most:
		return 0, refuse(validationError, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return lasts, nil
}

func sessionPolicies(form url.Values) ([]policy, error) {
	for name := range form {
		if strings.HasPrefix(name, "PolicyArns.") {
			return nil, refuse(validationError, "This server has no managed policies: give a session policy in Policy.")
		}
	}
	text := form.Get("Policy")
	if text == "" {
		return nil, nil
	}
	var p policy
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return nil, refuse(malformedPolicy, "The policy is not in the valid JSON format: %v", err)
	}
	if err := p.check(false); err != nil {
		return nil, refuse(malformedPolicy, "%v", err)
	}
	return []policy{p}, nil
}

// sessionTags parses Tags.member.N.Key and Tags.member.N.Value.
func sessionTags(form url.Values) (tagSet, error) {
	var tags tagSet
	for n := 1; ; n++ {
		prefix := "Tags.member." + strconv.Itoa(n) + "."
		if !form.Has(prefix + "Key") {
			return tags, checkTags(tags)
		}
		key, value := form.Get(prefix+"Key"), form.Get(prefix+"Value")
		tags = append(tags, tag{Key: &key, Value: &value})
	}
}

func addIfGiven(keys conditionKeys, name, value string) {
	if value != "" {
		keys.add(name, value)
	}
}

// stsFailure returns the STS name and status of an error.
func stsFailure(err error) *failure {
	f := *asFailure(err)
	names := map[string]string{
		invalidSignature: "SignatureDoesNotMatch", unrecognized: "InvalidClientTokenId", missingToken: "MissingAuthenticationToken",
		incomplete: "IncompleteSignature", throttling: "Throttling", internalError: "InternalFailure",
	}
	if name := names[f.kind]; name != "" {
		f.kind = name
	}
	switch f.kind {
	case "SignatureDoesNotMatch", "InvalidClientTokenId", "MissingAuthenticationToken", "AccessDenied", idpRejectedClaim:
		f.status = http.StatusForbidden
	}
	return &f
}

// writeSTS encodes an answer as XML.
func writeSTS(operation string, out stsOutput, requestID string) ([]byte, error) {
	type metadata struct {
		RequestID string `xml:"RequestId"`
	}
	var body struct {
		XMLName xml.Name
		Result  struct {
			XMLName xml.Name
			stsOutput
		}
		ResponseMetadata metadata
	}
	body.XMLName = xml.Name{Space: stsNamespace, Local: operation + "Response"}
	body.Result.XMLName = xml.Name{Local: operation + "Result"}
	body.Result.stsOutput, body.ResponseMetadata.RequestID = out, requestID
	return xml.Marshal(body)
}

// writeSTSError encodes an error as XML.
func writeSTSError(f *failure, requestID string) ([]byte, error) {
	var body struct {
		XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ ErrorResponse"`
		Error   struct {
			Type    string
			Code    string
			Message string
		}
		RequestID string `xml:"RequestId"`
	}
	body.Error.Type = "Sender"
	if f.status >= http.StatusInternalServerError {
		body.Error.Type = "Receiver"
	}
	body.Error.Code, body.Error.Message, body.RequestID = f.kind, f.message, requestID
	return xml.Marshal(body)
}
