package rotation_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// memoryAWS responds like AWS Secrets Manager, without a process, a socket, or signatures.
// [TestEverySingleFault] sends it every request that it sends to the server of
// tools/secretsmanager, and compares the responses.
type memoryAWS struct {
	mu      sync.Mutex
	secrets map[string]*memorySecret // by name
}

// memorySecret is one secret.
type memorySecret struct {
	values map[string]string // by version
	labels map[string]string // the version that each staging label is attached to
	tags   map[string]string
	ends   time.Time // the end of the recovery window; zero unless it is deleted
}

func newMemoryAWS() *memoryAWS { return &memoryAWS{secrets: map[string]*memorySecret{}} }

// memoryTag is a tag in a request or a response.
type memoryTag struct{ Key, Value string }

// memoryCall has the members of all operations.
type memoryCall struct {
	Name, SecretId, ClientRequestToken, VersionId, VersionStage, RemoveFromVersionId, MoveToVersionId string //nolint:revive // as AWS spells them
	SecretString                                                                                      *string
	VersionStages                                                                                     []string
	Tags                                                                                              []memoryTag
	TagKeys                                                                                           []string
	RecoveryWindowInDays                                                                              *int64
	ForceDeleteWithoutRecovery                                                                        bool
}

// refusal is the name of an AWS error.
type refusal string

// Error returns the name.
func (r refusal) Error() string { return string(r) }

const (
	noSecret  = refusal("ResourceNotFoundException")
	inTheBin  = refusal("InvalidRequestException")
	badMember = refusal("InvalidParameterException")
	existing  = refusal("ResourceExistsException")
)

// answer performs a request at the given time.
func (m *memoryAWS) answer(r *http.Request, body []byte, now time.Time) *http.Response {
	name := operation(r)
	if name == "STS" {
		return answer(r, http.StatusOK, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>`+
			`<Arn>arn:aws:iam::123456789012:user/administrator</Arn><UserId>some</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
	}
	var call memoryCall
	if err := json.Unmarshal(body, &call); err != nil {
		return answer(r, http.StatusBadRequest, `{"__type":"SerializationException"}`)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	out, err := m.do(name, call, now)
	if err != nil {
		out = map[string]any{"__type": err.Error()}
	}
	text, wrong := json.Marshal(out)
	if wrong != nil {
		panic(wrong)
	}
	if err != nil {
		return answer(r, http.StatusBadRequest, string(text))
	}
	if out == nil {
		text = nil
	}
	return answer(r, http.StatusOK, string(text))
}

func (m *memoryAWS) do(name string, call memoryCall, now time.Time) (map[string]any, error) {
	id := call.SecretId + call.Name
	s := m.secrets[id]
	if s != nil && !s.ends.IsZero() && !now.Before(s.ends) {
		s = nil
		delete(m.secrets, id)
	}
	named := map[string]any{"ARN": fmt.Sprintf("arn:aws:secretsmanager:%s:123456789012:secret:%s-AbCdEf", awsRegion, id), "Name": id}
	switch {
	case name == "CreateSecret":
		return named, m.create(id, s, call)
	case name == "DeleteSecret" && call.ForceDeleteWithoutRecovery:
		delete(m.secrets, id)
		named["DeletionDate"] = now.Unix()
		return named, nil
	case s == nil:
		return nil, noSecret
	case name == "DescribeSecret":
		return s.describe(named), nil
	case name == "RestoreSecret":
		s.ends = time.Time{}
		return named, nil
	case !s.ends.IsZero():
		return nil, inTheBin
	}
	switch name {
	case "GetSecretValue":
		return s.get(named, call)
	case "PutSecretValue":
		return s.put(named, call)
	case "UpdateSecretVersionStage":
		return named, s.move(call)
	case "TagResource":
		for _, tag := range call.Tags {
			s.tags[tag.Key] = tag.Value
		}
		return nil, nil
	case "UntagResource":
		for _, key := range call.TagKeys {
			delete(s.tags, key)
		}
		return nil, nil
	case "DeleteSecret":
		days := int64(30)
		if call.RecoveryWindowInDays != nil {
			days = *call.RecoveryWindowInDays
		}
		s.ends = now.Add(time.Duration(days) * day)
		named["DeletionDate"] = s.ends.Unix()
		return named, nil
	}
	return nil, refusal("UnknownOperationException")
}

func (m *memoryAWS) create(id string, there *memorySecret, call memoryCall) error {
	switch {
	case there != nil && !there.ends.IsZero():
		return inTheBin
	case there != nil:
		return existing
	}
	made := &memorySecret{values: map[string]string{}, labels: map[string]string{}, tags: map[string]string{}}
	for _, tag := range call.Tags {
		made.tags[tag.Key] = tag.Value
	}
	m.secrets[id] = made
	return nil
}

func (s *memorySecret) describe(out map[string]any) map[string]any {
	if !s.ends.IsZero() {
		out["DeletedDate"] = s.ends.Unix()
	}
	if len(s.tags) > 0 {
		var tags []memoryTag
		for _, key := range slices.Sorted(maps.Keys(s.tags)) {
			tags = append(tags, memoryTag{key, s.tags[key]})
		}
		out["Tags"] = tags
	}
	if len(s.labels) > 0 {
		stages := map[string][]string{}
		for _, id := range s.labels {
			stages[id] = s.labelsOf(id)
		}
		out["VersionIdsToStages"] = stages
	}
	return out
}

func (s *memorySecret) labelsOf(id string) []string {
	var labels []string
	for _, label := range slices.Sorted(maps.Keys(s.labels)) {
		if s.labels[label] == id {
			labels = append(labels, label)
		}
	}
	return labels
}

func (s *memorySecret) get(out map[string]any, call memoryCall) (map[string]any, error) {
	id := call.VersionId
	if id == "" {
		id = s.labels[call.VersionStage]
	}
	value, ok := s.values[id]
	if !ok {
		return nil, noSecret
	}
	out["VersionId"], out["SecretString"] = id, value
	if labels := s.labelsOf(id); labels != nil {
		out["VersionStages"] = labels
	}
	return out, nil
}

// put adds a version. An existing version with the same value stays as it is.
func (s *memorySecret) put(out map[string]any, call memoryCall) (map[string]any, error) {
	id := call.ClientRequestToken
	if call.SecretString == nil || id == "" {
		return nil, inTheBin
	}
	value, there := s.values[id]
	switch {
	case there && value != *call.SecretString:
		return nil, existing
	case !there:
		s.values[id] = *call.SecretString
		if len(call.VersionStages) == 0 || len(s.labels) == 0 {
			s.attach("AWSCURRENT", id)
		}
		for _, label := range call.VersionStages {
			s.attach(label, id)
		}
	}
	out["VersionId"] = id
	if labels := s.labelsOf(id); labels != nil {
		out["VersionStages"] = labels
	}
	return out, nil
}

// attach moves a label. AWSPREVIOUS follows AWSCURRENT.
func (s *memorySecret) attach(label, id string) {
	if from := s.labels[label]; label == "AWSCURRENT" && from != "" && from != id {
		s.labels["AWSPREVIOUS"] = from
	}
	s.labels[label] = id
}

// move is the check-and-set.
func (s *memorySecret) move(call memoryCall) error {
	from, to := call.RemoveFromVersionId, call.MoveToVersionId
	for _, id := range []string{from, to} {
		if _, ok := s.values[id]; id != "" && !ok {
			return noSecret
		}
	}
	at, attached := s.labels[call.VersionStage]
	switch {
	case from == "" && to == "",
		attached && from == "" && at != to,
		from != "" && at != from,
		to == "" && call.VersionStage == "AWSCURRENT":
		return badMember
	case to == "":
		delete(s.labels, call.VersionStage)
	default:
		s.attach(call.VersionStage, to)
	}
	return nil
}

// clone returns a copy of the AWS with all its data.
func (m *memoryAWS) clone() *memoryAWS {
	m.mu.Lock()
	defer m.mu.Unlock()
	other := newMemoryAWS()
	for name, s := range m.secrets {
		other.secrets[name] = &memorySecret{values: maps.Clone(s.values), labels: maps.Clone(s.labels), tags: maps.Clone(s.tags), ends: s.ends}
	}
	return other
}

// read returns a version of a secret that is not deleted, by version ID or label.
func (m *memoryAWS) read(name, version string) (value, id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.secrets[name]
	if s == nil || !s.ends.IsZero() {
		return "", ""
	}
	if id = s.labels[version]; id == "" {
		id = version
	}
	if value, ok := s.values[id]; ok {
		return value, id
	}
	return "", ""
}

// awsEssence returns a response without what differs between servers: the wording of
// errors, random values, and times. Of an STS response, only the account remains.
func awsEssence(body []byte) string {
	var said map[string]any
	if json.Unmarshal(body, &said) != nil {
		_, account, _ := strings.Cut(string(body), "<Account>")
		account, _, _ = strings.Cut(account, "</Account>")
		return account
	}
	for _, key := range []string{"ARN", "message", "Message", "Description", "CreatedDate", "LastChangedDate", "LastAccessedDate"} {
		delete(said, key)
	}
	if tags, ok := said["Tags"].([]any); ok {
		slices.SortFunc(tags, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	}
	text, err := json.Marshal(said)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// goBack restores a secret to its state before the current version.
func (m *memoryAWS) goBack(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.secrets[name]
	if s == nil || s.labels["AWSPREVIOUS"] == "" {
		return
	}
	delete(s.values, s.labels["AWSCURRENT"])
	s.labels["AWSCURRENT"] = s.labels["AWSPREVIOUS"]
	delete(s.labels, "AWSPREVIOUS")
}
