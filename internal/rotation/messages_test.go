package rotation

import (
	"errors"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

// A list that cannot be had is worded by what stood in the way.
func TestListFailureSaysWhatStoodInTheWay(t *testing.T) {
	t.Parallel()
	unknownHost := errors.New("no such host")
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"refused token", &paistrike.APIError{Status: 401}, "PS101"},
		{"token without the right", &paistrike.APIError{Status: 403}, "PS102"},
		{"failing server", &paistrike.APIError{Status: 500}, "PS106"},
		{"no connection", &paistrike.ConnectionError{Host: "paistrike.example.com", Err: unknownHost}, "PS108"},
		{"connection lost on the way", &paistrike.ConnectionError{Host: "paistrike.example.com", Sent: true, Err: unknownHost}, "PS106"},
		{"answer that cannot be read", &paistrike.AnswerError{Status: 200}, "PS106"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var failure *Error
			if err := listFailed(test.err); !errors.As(err, &failure) || failure.Code != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}
