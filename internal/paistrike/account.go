package paistrike

// Endpoint names the PAIStrike that the client calls: scheme, host, port and prefix,
// written alike whatever a configuration says.
func (c *Client) Endpoint() string { return c.base }

// DropsRevoked reports that the service drops revoked tokens from its list, so that
// absence from a whole list means revoked.
func (c *Client) DropsRevoked() bool { return false }
