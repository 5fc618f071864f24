package rotation_test

import (
	"context"
	"errors"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
)

// slowList responds after the store has been asked.
type slowList struct {
	directTokens
	asked <-chan struct{}
	ended *error // of the context, just before the list responded
	err   error
}

func (l slowList) List(ctx context.Context) ([]paistrike.Token, error) {
	<-l.asked
	if l.ended != nil {
		*l.ended = ctx.Err()
	}
	return nil, l.err
}

// askedStore signals that it was asked about an entry.
type askedStore struct {
	directStore
	asked chan<- struct{}
	err   error
}

func (s askedStore) Look(ctx context.Context, at entry.Location) (entry.Glance, error) {
	close(s.asked)
	if s.err != nil {
		return entry.Glance{}, s.err
	}
	return s.directStore.Look(ctx, at)
}

// The account's list and the entry are requested concurrently. If one request waited for
// the other, this test would never end.
func TestListAndEntryAreReadSideBySide(t *testing.T) {
	t.Parallel()
	w, asked := newSmallWorld(), make(chan struct{})
	engine := rotation.New(slowList{directTokens: directTokens{w}, asked: asked}, askedStore{directStore: directStore{w}, asked: asked},
		rotation.WithTogether(rotation.SideBySide))
	if _, err := engine.Look(t.Context(), smallRequest.At); err != nil {
		t.Fatal(err)
	}
}

// Whichever read fails first, the returned error is the first in order. A failed store
// does not cancel the list, because other entries may wait for it.
func TestAFailedReadLeavesTheOneBeforeItAlone(t *testing.T) {
	t.Parallel()
	refused, broken := errors.New("the list is refused"), errors.New("the store is broken")
	for name, c := range map[string]struct{ list, want error }{
		"the store alone": {nil, broken},
		"both":            {refused, refused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, asked, ended := newSmallWorld(), make(chan struct{}), error(nil)
			engine := rotation.New(slowList{directTokens: directTokens{w}, asked: asked, ended: &ended, err: c.list},
				askedStore{directStore: directStore{w}, asked: asked, err: broken}, rotation.WithTogether(rotation.SideBySide))
			if _, err := engine.Look(t.Context(), smallRequest.At); !errors.Is(err, c.want) {
				t.Errorf("the error is %v, want %v", err, c.want)
			}
			if ended != nil {
				t.Errorf("the list was given up: %v", ended)
			}
		})
	}
}

// One by one, no request follows a failed one.
func TestOneByOneAFailureIsTheEnd(t *testing.T) {
	t.Parallel()
	w, asked, never := newSmallWorld(), make(chan struct{}), make(chan struct{})
	close(asked)
	refused := errors.New("the list is refused")
	engine := rotation.New(slowList{directTokens: directTokens{w}, asked: asked, err: refused}, askedStore{directStore: directStore{w}, asked: never})
	if _, err := engine.Look(t.Context(), smallRequest.At); !errors.Is(err, refused) {
		t.Errorf("the error is %v, want %v", err, refused)
	}
	select {
	case <-never:
		t.Error("the store was asked")
	default:
	}
}
