package sandbox

import (
	"crypto/rand"
	"slices"
	"sync"
)

// maxForms is how many pages may be open with a form that still can be sent.
const maxForms = 1000

// forms are the one-time numbers of the forms that are out. A form that is sent
// twice, by a reload say, makes one token; one that another site's page made up
// makes none.
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

// take reports whether a form is out, and takes it back.
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
