package paistrike

// Endpoint names the PAIStrike that the client calls: scheme, host, port and prefix,
// written alike whatever a configuration says.
func (c *Client) Endpoint() string { return c.base }
