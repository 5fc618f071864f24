package rotation

import (
	"reflect"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

// The inventory returns a token as PAIStrike listed it, with every field that decisions use.
func TestListedTokensAreReturnedAsTheyWere(t *testing.T) {
	t.Parallel()
	at := time.Date(9026, time.March, 1, 12, 0, 0, 123456789, time.UTC)
	for _, want := range []paistrike.Token{
		{ID: "tok_1", Name: "A", CreatedAt: at, LastUsedAt: at.Add(time.Hour), ExpiresAt: at.Add(-time.Hour), Status: paistrike.StatusRevoked, Untold: paistrike.Expiry},
		{ID: "tok_2", CreatedAt: at, Status: paistrike.StatusActive},
	} {
		if got := listedOf(want).token(want.ID); !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	for i := range reflect.TypeFor[paistrike.Token]().NumField() {
		switch field := reflect.TypeFor[paistrike.Token]().Field(i).Name; field {
		case "ID", "Name", "CreatedAt", "LastUsedAt", "ExpiresAt", "Status", "Untold", "Warnings":
		default:
			t.Errorf("the inventory does not know of the field %s", field)
		}
	}
}
