package aws

import (
	"context"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// writeInterval keeps writes below AWS's tightest quota, which is 50 a second for
// PutSecretValue, UpdateSecretVersionStage and UpdateSecret together, 50 for TagResource
// and 50 for CreateSecret, in one region and account. The rest is for others.
const writeInterval = 25 * time.Millisecond

// pace lets one write begin after the other.
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

// careful is a retryer for writes: it repeats one only if AWS says that it did nothing.
type careful struct{ sdk.Retryer }

// IsErrorRetryable reports a refusal, such as throttling, that is worth another try. Too
// many versions are not, though the SDK takes that for throttling.
func (c careful) IsErrorRetryable(err error) bool {
	return isRefusal(err) && !isFull(err) && c.Retryer.IsErrorRetryable(err)
}

// reading are the options of a call that changes nothing.
func (s *Store) reading(region string) func(*secretsmanager.Options) {
	return func(o *secretsmanager.Options) {
		if region != "" {
			o.Region = region
		}
	}
}

// writing are the options of a call that changes something.
func (s *Store) writing(region string) func(*secretsmanager.Options) {
	return func(o *secretsmanager.Options) {
		if region != "" {
			o.Region = region
		}
		o.Retryer = careful{o.Retryer}
	}
}
