package main

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"
)

// maxLag is the maximum delay of ListSecrets.
const maxLag = time.Hour

// listSecrets lists the secrets of the region, 100 per page, "not including secrets that are
// marked for deletion" unless requested. IAM has no permission for individual secrets here.
func (s *session) listSecrets(in listSecretsInput) (any, error) {
	if err := s.allowed("ListSecrets", "*", "*", s.keys(nil)); err != nil {
		return nil, err
	}
	for _, f := range in.Filters {
		if f.Key == nil || f.Values == nil {
			return nil, refuse(invalidParameter, "You must provide a key and values for each filter.")
		}
	}
	list := filtered(s.listings(s.now.Add(-s.lag)), in.Filters, in.IncludePlannedDeletion)
	sortEntries(list, text(in.SortBy), text(in.SortOrder))
	part, next, err := page(list, in.NextToken, in.MaxResults, 100)
	if err != nil {
		return nil, err
	}
	return listSecretsOutput{SecretList: append([]secretListEntry{}, part...), NextToken: next}, nil
}

// filtered returns the entries that satisfy all filters.
func filtered(list []secretListEntry, filters []filter, deleted bool) []secretListEntry {
	return slices.DeleteFunc(list, func(e secretListEntry) bool {
		return e.DeletedDate != nil && !deleted || slices.ContainsFunc(filters, func(f filter) bool { return !f.lets(e) })
	})
}

// lets reports whether a filter accepts an entry: one of its values must match, and none of
// those with an exclamation mark.
func (f filter) lets(e secretListEntry) bool {
	wanted, found := false, false
	for _, v := range f.Values {
		negated, no := strings.CutPrefix(string(v), "!")
		if no && f.matches(e, negated) {
			return false
		}
		if !no {
			wanted, found = true, found || f.matches(e, string(v))
		}
	}
	return found || !wanted
}

// matches compares as the API reference specifies for each key.
func (f filter) matches(e secretListEntry, v string) bool {
	prefix := func(text string) bool { return strings.HasPrefix(text, v) }
	switch text(f.Key) {
	case "name": // "Prefix match, case-sensitive."
		return prefix(e.Name)
	case "tag-key": // "Prefix match, case-sensitive."
		return slices.ContainsFunc(e.Tags, func(t tag) bool { return prefix(*t.Key) })
	case "tag-value": // "Prefix match, case-sensitive."
		return slices.ContainsFunc(e.Tags, func(t tag) bool { return prefix(*t.Value) })
	case "primary-region": // "Prefix match, case-sensitive."
		return prefix(e.region)
	case "description": // "Prefix match, not case-sensitive."
		return strings.HasPrefix(strings.ToLower(e.Description), strings.ToLower(v))
	case "all":
		return e.hasWord(v)
	}
	return false // owning-service: no secret has one
}

// hasWord implements the key all: "Breaks the filter value string into words and then
// searches all attributes for matches. Not case-sensitive".
func (e secretListEntry) hasWord(v string) bool {
	attributes := []string{e.Name, e.Description}
	for _, t := range e.Tags {
		attributes = append(attributes, *t.Key, *t.Value)
	}
	var there []string
	for _, attribute := range attributes {
		there = append(there, words(attribute)...)
	}
	return slices.ContainsFunc(words(v), func(word string) bool { return slices.Contains(there, word) })
}

// words splits text as in the user guide: "The words are separated by any change from
// uppercase to lowercase, from letter to number, or from number/letter to punctuation", for
// example creds, Database and 892 in "credsDatabase#892".
func words(text string) []string {
	var list []string
	var word []rune
	end := func() {
		if word != nil {
			list, word = append(list, strings.ToLower(string(word))), nil
		}
	}
	for _, c := range text {
		if !unicode.IsLetter(c) && !unicode.IsNumber(c) {
			end()
			continue
		}
		if word != nil {
			last := word[len(word)-1]
			if unicode.IsNumber(last) != unicode.IsNumber(c) || unicode.IsLower(last) && unicode.IsUpper(c) {
				end()
			}
		}
		word = append(word, c)
	}
	end()
	return list
}

// sortEntries sorts by "CreatedDate" unless another key is requested, newest first unless the
// order is asc.
func sortEntries(list []secretListEntry, by, order string) {
	of := func(e secretListEntry) *epoch {
		switch by {
		case "last-accessed-date":
			return e.LastAccessedDate
		case "last-changed-date":
			return e.LastChangedDate
		}
		return e.CreatedDate
	}
	slices.SortStableFunc(list, func(a, b secretListEntry) int {
		var c int
		if by == "name" {
			c = strings.Compare(a.Name, b.Name)
		} else {
			c = cmp.Or(compareEpochs(of(a), of(b)), strings.Compare(a.Name, b.Name))
		}
		if order != "asc" {
			return -c
		}
		return c
	})
}

func compareEpochs(a, b *epoch) int {
	var x, y time.Time
	if a != nil {
		x = time.Time(*a)
	}
	if b != nil {
		y = time.Time(*b)
	}
	return x.Compare(y)
}
