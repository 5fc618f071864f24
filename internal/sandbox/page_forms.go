package sandbox

import (
	"crypto/rand"
	"slices"
	"sync"
)

// maxForms limits the number of unsubmitted one-time forms.
const maxForms = 1000

// forms issues and redeems the one-time numbers of forms. A form that is submitted twice, for
// example by a reload, creates one token. A form that another site made up creates none.
type forms struct {
	mu  sync.Mutex
	out []string // oldest first
}

func newForms() *forms { return &forms{} }

func (f *forms) issue() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	number := rand.Text()
	f.out = append(f.out, number)
	if len(f.out) > maxForms {
		f.out = slices.Delete(f.out, 0, len(f.out)-maxForms)
	}
	return number
}

// take redeems a number and reports whether it was valid.
func (f *forms) take(number string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := slices.Index(f.out, number)
	if at < 0 {
		return false
	}
	f.out = slices.Delete(f.out, at, at+1)
	return true
}
