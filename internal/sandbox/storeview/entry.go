// Package storeview reads from a secret store what the sandbox's page shows of it. It
// shares no code with what is tested on the sandbox.
package storeview

import (
	"net/url"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

// managed reports whether metadata is that of an entry which PAIStrike's provider manages.
func managed(custom map[string]string) bool { return custom["managed_by"] == "paistrike" }

// entryOf reads the metadata of an entry.
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

// retiring reads "id@time;id@time". The list may end with "+3" for those that did
// not fit; what cannot be read is left out, as this is for people to look at.
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
