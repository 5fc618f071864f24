package paistrike

import "slices"

// Explain returns the field from which each fact of a response is read: of its token, or
// of the first token in a list. It omits facts that are not found. The result contains no
// values.
func (r Routes) Explain(body []byte) map[string]string {
	r = r.complete()
	reader := reader{r.Answer, r.List}
	value, err := parse(body)
	if err != nil {
		return nil
	}
	if items, _, ok := reader.items(value); ok && len(items) > 0 {
		value = items[0]
	}
	around := reader.layers(value)
	if len(around) == 0 {
		return nil
	}
	found := map[string]string{}
	note := func(fact, path string, usual []string) {
		if path == none {
			return
		}
		for i := range slices.Backward(around) {
			fields, names := pick(path, usual, around[:i+1])
			for _, name := range names {
				if _, said := fields[name]; said && found[fact] == "" {
					found[fact] = name
					if path != "" {
						found[fact] = path
					}
				}
			}
			if fact != "secret" { // only the secret may be around the token
				return
			}
		}
	}
	note("id", r.Answer.ID, idNames)
	note("name", r.Answer.Name, nameNames)
	note("secret", r.Answer.Secret, secretNames)
	note("created_at", r.Answer.CreatedAt, createdNames)
	note("expires_at", r.Answer.ExpiresAt, expiryNames())
	note("last_used_at", r.Answer.LastUsedAt, lastUsedNames())
	note("status", r.Answer.Status, statusNames())
	return found
}
