package provider

import (
	"fmt"
	"sync"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
)

// claims remembers which resource of this provider process wants which entry. Two that
// want one would replace each other's token for ever. What another process does cannot be
// seen here: the record tells of it.
type claims struct {
	mu      sync.Mutex
	created map[entry.Location]bool
	seen    map[entry.Location]rotation.Sight
	owners  map[entry.Location]string
}

// create refuses a second resource that is to be created at one entry. Terraform plans a
// create once in each walk, and configures the provider anew for each.
func (c *claims) create(at entry.Location) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.created[at.Entry()] {
		return twice(at)
	}
	if c.created == nil {
		c.created = map[entry.Location]bool{}
	}
	c.created[at.Entry()] = true
	return nil
}

// saw keeps what the plan of a create saw, for its apply.
func (c *claims) saw(s rotation.Sight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = map[entry.Location]rotation.Sight{}
	}
	c.seen[s.At.Entry()] = s
}

// sight returns what the plan of a create saw, nil if it did not look.
func (c *claims) sight(at entry.Location) *rotation.Sight {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.seen[at.Entry()]
	if !ok {
		return nil
	}
	return &s
}

// hold refuses an entry that a resource with another id holds.
func (c *claims) hold(at entry.Location, owner string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if held, ok := c.owners[at.Entry()]; ok && held != owner {
		return twice(at)
	}
	if c.owners == nil {
		c.owners = map[entry.Location]string{}
	}
	c.owners[at.Entry()] = owner
	return nil
}

func twice(at entry.Location) error {
	return fmt.Errorf("two resources of this configuration want %s, and one entry serves one token. Nothing was created or changed. Give each a place of its own", at)
}
