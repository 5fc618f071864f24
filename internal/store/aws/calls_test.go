package aws_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/aws"
)

// TestCallsOfEachKindOfRun counts the calls that AWS charges for, including the two
// refused calls of the preflight.
func TestCallsOfEachKindOfRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startAWS(t), "calls")
	put, move := "PutSecretValue", "UpdateSecretVersionStage"
	for _, step := range []struct {
		name string
		run  func(engine *rotation.Engine) error
		want []string
	}{
		{"create", w.running(rotation.Rotate, schedule.ReasonCreated), []string{"DescribeSecret", "STS", "CreateSecret", put, move, put, "TagResource"}},
		{"nothing is due", w.running(rotation.IfDue, schedule.ReasonNone), []string{"DescribeSecret", "GetSecretValue"}},
		{"plan", func(engine *rotation.Engine) error {
			_, err := engine.Look(t.Context(), w.at)
			return err
		}, []string{"DescribeSecret"}},
		{"rotate", func(engine *rotation.Engine) error {
			w.advance(30 * day)
			return w.running(rotation.IfDue, schedule.ReasonNone)(engine)
		}, []string{"DescribeSecret", "GetSecretValue", put, move, put, move, "TagResource"}},
		{"retire", func(engine *rotation.Engine) error {
			w.advance(day)
			return w.running(rotation.IfDue, schedule.ReasonNone)(engine)
		}, []string{"DescribeSecret", "GetSecretValue", "TagResource"}},
		{"destroy", func(engine *rotation.Engine) error {
			_, err := engine.Destroy(t.Context(), rotation.DestroyRequest{At: w.at, Owner: "resource-1", Ending: entry.EndDelete})
			return err
		}, []string{"DescribeSecret", "GetSecretValue", put, move, "DescribeSecret", "TagResource", "DeleteSecret", "DescribeSecret"}},
	} {
		wire := &counted{next: w.wire()}
		if err := step.run(w.engine(wire)); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		// A first call may be repeated only to learn the server's time.
		got := slices.Compact(slices.DeleteFunc(wire.names(), func(call string) bool { return strings.Contains(call, "/") }))
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", step.name, diff)
		}
	}
}

// running returns a function that runs a request on an engine.
func (w *world) running(wish rotation.Wish, reason schedule.Reason) func(*rotation.Engine) error {
	return func(engine *rotation.Engine) error {
		_, err := engine.Run(w.t.Context(), w.request(wish, reason))
		return err
	}
}

// TestSlots shows what identifies an entry: account, region and name, or an identity
// instead of the account.
func TestSlots(t *testing.T) {
	t.Parallel()
	server := startAWS(t)
	w := newWorld(t, server, "slots")
	w.create()
	look := func(region, identity string, former ...string) entry.Glance {
		s := aws.New(aws.Config{
			Region: region, Endpoint: server.Endpoint, STSEndpoint: server.Endpoint, Now: w.now, Sleep: noSleep,
			Credentials: &aws.Credentials{AccessKeyID: server.AccessKeyID, SecretAccessKey: secret.New(server.SecretAccessKey)},
			Identity:    identity, FormerIdentities: former,
		})
		glance, err := s.Look(t.Context(), entry.Location{Path: "slots"})
		if err != nil {
			t.Fatal(err)
		}
		return glance
	}
	here := look(region, "")
	if here.Identity != "123456789012/eu-central-1" || here.Slot() != entry.Slot(here.Identity, "slots") || here.Slot() != here.Mirror.Slot {
		t.Errorf("%+v", here)
	}
	if there := look("eu-west-1", ""); there.Slot() == here.Slot() || there.Condition != entry.Absent {
		t.Errorf("%+v", there)
	}
	if renamed := look(region, "production", "123456789012"); renamed.Slot() == here.Slot() || !slices.Contains(renamed.Slots, here.Slot()) {
		t.Errorf("%+v", renamed)
	}
}

// TestNothingToLogInWith shows the message for a failed login, which does not mention
// permissions.
func TestNothingToLogInWith(t *testing.T) {
	t.Parallel()
	server := startAWS(t)
	w := newWorld(t, server, "login")
	w.as.SecretAccessKey = secret.New("wrong")
	_, err := w.store(w.wire()).Look(t.Context(), w.at)
	expectCode(t, err, "PS323")
	s := aws.New(aws.Config{
		Region: region, Endpoint: server.Endpoint, STSEndpoint: server.Endpoint, MaxAttempts: 1,
		AssumeRoleWithWebIdentity: &aws.WebIdentity{ARN: "arn:aws:iam::123456789012:role/none", Token: secret.New("no token")},
	})
	_, err = s.Look(t.Context(), w.at)
	expectCode(t, err, "PS323")
	s = aws.New(aws.Config{Region: region, Endpoint: "http://127.0.0.1:1", Credentials: &w.as, MaxAttempts: 1})
	_, err = s.Look(t.Context(), w.at)
	expectCode(t, err, "PS321")
}

func expectCode(t *testing.T, err error, code string) {
	t.Helper()
	if said, ok := errors.AsType[*entry.Failure](err); !ok || said.Code != code {
		t.Errorf("%v: want %s", err, code)
	}
}
