package main

import (
	"maps"
	"sync"
	"time"
)

// withheld stands in the journal for what must not be written down.
const withheld = "HIDDEN_DUE_TO_SECURITY_REASONS"

// event is one request as CloudTrail records it: who asked for what, and what came
// of it. Secret values, credentials and identity tokens are withheld.
type event struct {
	EventTime         time.Time      `json:"eventTime"` // by the server's clock, at arrival
	EventSource       string         `json:"eventSource"`
	EventName         string         `json:"eventName"`
	AWSRegion         string         `json:"awsRegion"`
	UserIdentity      identity       `json:"userIdentity"`
	RequestParameters map[string]any `json:"requestParameters"` // first letters in lower case
	ErrorCode         string         `json:"errorCode,omitempty"`
	ErrorMessage      string         `json:"errorMessage,omitempty"`
	RequestID         string         `json:"requestID"`

	// These two are not CloudTrail's.
	Secret string `json:"secret,omitempty"` // the friendly name, or the SecretId if there is no such secret
	Status int    `json:"status"`           // of the HTTP answer; 0 if the connection was cut
}

// identity is who made a request. It is as claimed if the signature was refused.
type identity struct {
	Type        string `json:"type"` // IAMUser, AssumedRole, WebIdentityUser or Unknown
	ARN         string `json:"arn,omitempty"`
	AccountID   string `json:"accountId,omitempty"`
	AccessKeyID string `json:"accessKeyId,omitempty"`
	UserName    string `json:"userName,omitempty"`
}

// parameters returns what the journal keeps of a request's members.
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
