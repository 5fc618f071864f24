package rotation_test

import (
	"context"
	"errors"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
)

// slowList answers when the store has been asked.
type slowList struct {
	directTokens
	asked <-chan struct{}
	ended *error // of the context, when the list was about to answer
	err   error
}

func (l slowList) List(ctx context.Context) ([]paistrike.Token, error) {
	<-l.asked
	if l.ended != nil {
		*l.ended = ctx.Err()
	}
	return nil, l.err
}

// askedStore tells that it is asked about an entry.
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

// The account's list is on its way while the store is asked: if one waited for the other,
// this would never end.
func TestListAndEntryAreReadSideBySide(t *testing.T) {
	t.Parallel()
	w, asked := newSmallWorld(), make(chan struct{})
	engine := rotation.New(slowList{directTokens: directTokens{w}, asked: asked}, askedStore{directStore: directStore{w}, asked: asked},
		rotation.WithTogether(rotation.SideBySide))
	if _, err := engine.Look(t.Context(), smallRequest.At); err != nil {
		t.Fatal(err)
	}
}

// Whichever read fails first, the error is that of the first in order, and the list, for
// which other entries may wait, is not given up because a store has failed.
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

// One by one, no request follows one that failed.
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
