package provider

import (
	"fmt"
	"sync"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
)

// claims records which resource of this provider process uses which entry. Two resources
// with the same entry would replace each other's token forever. Other processes cannot be
// seen here, but the record shows their resources.
type claims struct {
	mu      sync.Mutex
	created map[entry.Location]bool
	seen    map[entry.Location]rotation.Sight
	owners  map[entry.Location]string
}

// create returns an error for a second resource that is to be created at the same entry.
// Terraform plans a create once in each walk, and configures the provider again for each.
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

// saw stores what the plan of a create saw, for its apply.
func (c *claims) saw(s rotation.Sight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = map[entry.Location]rotation.Sight{}
	}
	c.seen[s.At.Entry()] = s
}

// sight returns what the plan of a create saw, or nil if it did not look.
func (c *claims) sight(at entry.Location) *rotation.Sight {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.seen[at.Entry()]
	if !ok {
		return nil
	}
	return &s
}

// hold returns an error if a resource with a different ID uses the entry.
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
	return fmt.Errorf("two resources of this configuration use %s, but an entry serves only one token. Nothing was created or changed. Give each resource its own entry", at)
}
