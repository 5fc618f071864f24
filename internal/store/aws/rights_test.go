package aws_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/aws"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// TestMissingRightsAreFoundBeforeTheMint removes one permission at a time: no token is
// minted, and the error names the permission.
func TestMissingRightsAreFoundBeforeTheMint(t *testing.T) {
	t.Parallel()
	server := startAWS(t)
	for i, test := range []struct {
		action string
		create bool // also needed to create
		rotate bool // also needed to rotate
	}{
		{"CreateSecret", true, false},
		{"DescribeSecret", true, true},
		{"GetSecretValue", false, true},
		{"PutSecretValue", true, true},
		{"UpdateSecretVersionStage", true, true},
		{"TagResource", true, false},
	} {
		for creating, needed := range map[bool]bool{true: test.create, false: test.rotate} {
			if !needed {
				continue
			}
			w := newWorld(t, server, fmt.Sprintf("rights/%s/%t", test.action, creating))
			if !creating {
				w.create()
				w.paistrike.Clock().Advance(30 * day)
			}
			policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"secretsmanager:*","Resource":"*"},` +
				`{"Effect":"Deny","Action":"secretsmanager:` + test.action + `","Resource":"*"}]}`
			user := testparts.AWSUser{
				Name: "u", AccessKeyID: fmt.Sprintf("AKIATEST%08d%t", i, creating), SecretAccessKey: "x", Policies: []json.RawMessage{json.RawMessage(policy)},
			}
			user.AccessKeyID = strings.ToUpper(user.AccessKeyID)
			user.Name = user.AccessKeyID
			server.AddIdentities(testparts.AWSIdentities{Users: []testparts.AWSUser{user}})
			w.as = aws.Credentials{AccessKeyID: user.AccessKeyID, SecretAccessKey: secret.New("x")}
			before := len(w.paistrike.Tokens())
			_, err := w.engine(w.wire()).Run(t.Context(), w.request(rotation.Rotate, schedule.ReasonCreated))
			var said *rotation.Error
			if !errors.As(err, &said) || said.Code != "PS322" || !strings.Contains(said.Detail, "secretsmanager:"+test.action) {
				t.Errorf("without %s: %v", test.action, err)
			}
			if minted := len(w.paistrike.Tokens()) - before; minted != 0 {
				t.Errorf("without %s: %d tokens minted", test.action, minted)
			}
		}
	}
}

// TestRefusedWriteIsRefused shows that the engine learns that nothing was written if a
// permission is lost between the preflight and the write.
func TestRefusedWriteIsRefused(t *testing.T) {
	t.Parallel()
	server := startAWS(t)
	for _, operation := range []string{"PutSecretValue", "UpdateSecretVersionStage"} {
		w := newWorld(t, server, "refused/"+operation)
		w.create()
		w.paistrike.Clock().Advance(30 * day)
		server.Inject(testparts.AWSFault{Operation: operation, Skip: 1, Error: "AccessDeniedException"}) // the first is the preflight's
		_, err := w.engine(w.wire()).Run(t.Context(), w.request(rotation.IfDue, schedule.ReasonNone))
		if said, ok := errors.AsType[*rotation.Error](err); !ok || said.Code != "PS210" {
			t.Errorf("%s: %v", operation, err)
		}
		if problem := w.check(); problem != nil || len(w.live()) != 1 {
			t.Errorf("%s: %v, %d live", operation, problem, len(w.live()))
		}
	}
}
