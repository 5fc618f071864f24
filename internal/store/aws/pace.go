package aws

import (
	"context"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// writeInterval keeps writes below AWS's lowest quotas, which apply to one region and
// account: 50 a second for PutSecretValue, UpdateSecretVersionStage and UpdateSecret
// together, 50 for TagResource, and 50 for CreateSecret. It leaves part of the quota to
// others.
const writeInterval = 25 * time.Millisecond

// pace spaces out the start of writes.
type pace struct {
	mu   sync.Mutex
	next time.Time
}

// wait returns when it is the caller's turn to write.
func (p *pace) wait(ctx context.Context, now func() time.Time, sleep func(context.Context, time.Duration) error) error {
	p.mu.Lock()
	at := now()
	turn := at
	if p.next.After(at) {
		turn = p.next
	}
	p.next = turn.Add(writeInterval)
	p.mu.Unlock()
	if turn.Equal(at) {
		return ctx.Err()
	}
	return sleep(ctx, turn.Sub(at))
}

// careful is a retryer for writes: it repeats a write only if AWS reports that it did
// nothing.
type careful struct{ sdk.Retryer }

// IsErrorRetryable reports whether err is a refusal that is worth another attempt, such as
// throttling. Too many versions is not, although the SDK treats that as throttling.
func (c careful) IsErrorRetryable(err error) bool {
	return isRefusal(err) && !isFull(err) && c.Retryer.IsErrorRetryable(err)
}

// reading returns the options of a call that changes nothing.
func (s *Store) reading(region string) func(*secretsmanager.Options) {
	return func(o *secretsmanager.Options) {
		if region != "" {
			o.Region = region
		}
	}
}

// writing returns the options of a call that changes something.
func (s *Store) writing(region string) func(*secretsmanager.Options) {
	return func(o *secretsmanager.Options) {
		if region != "" {
			o.Region = region
		}
		o.Retryer = careful{o.Retryer}
	}
}
