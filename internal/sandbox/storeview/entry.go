// Package storeview reads the metadata that the sandbox's page shows from a secret store. It
// shares no code with the packages tested against the sandbox.
package storeview

import (
	"net/url"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

// managed reports whether metadata belongs to an entry that the provider manages.
func managed(custom map[string]string) bool { return custom["managed_by"] == "paistrike" }

// entryOf decodes the metadata of an entry.
func entryOf(place string, custom map[string]string) sandbox.Entry {
	e := sandbox.Entry{
		Place: place, State: custom["paistrike_state"], Version: custom["paistrike_mirror_of"],
		TokenID: custom["paistrike_token_id"], TokenName: custom["paistrike_token_name"],
		Retiring: retiring(custom["paistrike_retiring"]), LastError: custom["paistrike_last_error"],
	}
	if next, err := time.Parse(time.RFC3339, custom["paistrike_next_rotation"]); err == nil {
		e.NextRotation = next
	}
	return e
}

// retiring decodes "id@time;id@time". The list may end with "+3", the number of omitted
// tokens. Parts that cannot be decoded are left out, because the result is only displayed.
func retiring(text string) []sandbox.Retiring {
	var list []sandbox.Retiring
	for part := range strings.SplitSeq(text, ";") {
		at := strings.LastIndexByte(part, '@')
		if at < 0 {
			continue
		}
		id, idErr := url.PathUnescape(part[:at])
		due, dueErr := time.Parse(time.RFC3339, part[at+1:])
		if idErr == nil && dueErr == nil {
			list = append(list, sandbox.Retiring{TokenID: id, RevokeAfter: due})
		}
	}
	return list
}
