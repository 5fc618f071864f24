package paistrike

// Endpoint identifies the service that the client calls: scheme, host, port and path
// prefix, in one normalized form.
func (c *Client) Endpoint() string { return c.base }
