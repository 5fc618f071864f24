package main

import (
	"maps"
	"sync"
	"time"
)

// withheld replaces secrets in the journal.
const withheld = "HIDDEN_DUE_TO_SECURITY_REASONS"

// event is one request in CloudTrail's format. Secret values, credentials and identity tokens
// are withheld.
type event struct {
	EventTime         time.Time      `json:"eventTime"` // arrival by the server's clock
	EventSource       string         `json:"eventSource"`
	EventName         string         `json:"eventName"`
	AWSRegion         string         `json:"awsRegion"`
	UserIdentity      identity       `json:"userIdentity"`
	RequestParameters map[string]any `json:"requestParameters"` // names start with a lower-case letter
	ErrorCode         string         `json:"errorCode,omitempty"`
	ErrorMessage      string         `json:"errorMessage,omitempty"`
	RequestID         string         `json:"requestID"`

	// The following two are not CloudTrail's.
	Secret string `json:"secret,omitempty"` // name, or the SecretId if there is no such secret
	Status int    `json:"status"`           // HTTP status; 0 if the connection was cut
}

// identity is the caller of a request, as claimed if the signature was rejected.
type identity struct {
	Type        string `json:"type"` // IAMUser, AssumedRole, WebIdentityUser or Unknown
	ARN         string `json:"arn,omitempty"`
	AccountID   string `json:"accountId,omitempty"`
	AccessKeyID string `json:"accessKeyId,omitempty"`
	UserName    string `json:"userName,omitempty"`
}

// parameters returns the members of a request to record.
func parameters(members map[string]any) map[string]any {
	kept := map[string]any{}
	for name, value := range maps.All(members) {
		switch name {
		case "SecretString", "SecretBinary", "WebIdentityToken", "TokenCode":
			value = withheld
		}
		kept[lowerFirst(name)] = value
	}
	return kept
}

type journal struct {
	mu     sync.Mutex
	events []event
}

func (j *journal) add(e event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = append(j.events, e)
}

func (j *journal) all() []event {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]event{}, j.events...)
}

func (j *journal) forget() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = nil
}
