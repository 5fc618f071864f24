package rotation_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/aws"
)

// AWS's reads are eventually consistent. If the response to a publication is lost and the
// published version cannot be read yet, the run cannot know who published it. It revokes
// nothing and reports that.
func TestAVersionThatCannotBeReadYetIsNobodys(t *testing.T) {
	t.Parallel()
	for name, unread := range map[string]struct {
		format aws.Format
		ending string // of the version IDs that cannot be read yet
	}{
		"json": {aws.JSON, ""}, "plain": {aws.Plain, ""}, "record of plain": {aws.Plain, "-record"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := awsInMemory(unread.format)
			w := newWorld(t, store)
			w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
			before := mustRecord(w)
			eyes, replica := newWitness(w), store.clone()
			eyes.serves(before.TokenID)
			wire := roundTripper(func(r *http.Request) (*http.Response, error) {
				switch asked := bodyOf(t, r); {
				case r.URL.Host == paistrikeHost:
				case operation(r) == "GetSecretValue" && strings.Contains(asked, unread.ending+`"`):
					return replica.send(w, r)
				case operation(r) == "UpdateSecretVersionStage" && strings.Contains(asked, "MoveToVersionId") && strings.Contains(asked, "AWSCURRENT"):
					response, err := eyes.deliver(r)
					if err == nil {
						response.Body.Close()
					}
					return nil, errConnection
				}
				return eyes.deliver(r)
			})
			_, err := w.engine(wire).Run(context.Background(), w.due(schedule.ReasonForced))
			if failure, ok := errors.AsType[*rotation.Error](err); !ok || failure.Code != "PS205" {
				t.Errorf("error = %v, want PS205", err)
			}
			if now := mustRecord(w); now.TokenID == before.TokenID || !w.accepts(now.Secret) {
				t.Errorf("generation %d is current, and its token works: %t", now.Gen, w.accepts(now.Secret))
			}
			for _, violation := range eyes.violations {
				t.Error(violation)
			}
			if result := w.run(w.request(rotation.IfDue, schedule.ReasonNone)); result.Rotated {
				t.Error("the next run replaced a token that was published")
			}
		})
	}
}

// bodyOf returns the body of a request and leaves it readable.
func bodyOf(t *testing.T, r *http.Request) string {
	t.Helper()
	if r.Body == nil {
		return ""
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	return string(body)
}
