package sandbox

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The columns that the list can be sorted by. By name it stands in groups, by any
// other column token by token.
const (
	byName    = "name"
	byCreated = "created"
	byUsed    = "used"
	byExpires = "expires"
	byStatus  = "status"
)

const (
	maxFind = 200 // bytes of a search
	maxOpen = 100 // groups that an address can keep open
)

// listQuery is what a person asked the list for. It stands in the page's address, so
// it needs no JavaScript, survives a reload, and can be sent to someone else.
type listQuery struct {
	Find string   // words, each of which a token's name, id, status or place in a store has
	Sort string   // one of the columns
	Desc bool     // from the last to the first
	Page int      // from 1 on
	Open []string // groups that are shown whole
	At   string   // the token that was just made or revoked, which stands first
}

// readQuery reads an address leniently: what is not understood is not asked for.
func readQuery(values url.Values) listQuery {
	q := listQuery{Sort: byName, Page: 1, At: values.Get("at")}
	q.Find = strings.TrimSpace(strings.ToValidUTF8(values.Get("q"), ""))
	if len(q.Find) > maxFind {
		q.Find = strings.ToValidUTF8(q.Find[:maxFind], "")
	}
	column, desc := strings.CutPrefix(values.Get("sort"), "-")
	if slices.Contains([]string{byName, byCreated, byUsed, byExpires, byStatus}, column) {
		q.Sort, q.Desc = column, desc
	}
	if n, err := strconv.Atoi(values.Get("page")); err == nil && n > 1 {
		q.Page = n
	}
	for _, group := range values["open"] {
		if len(q.Open) < maxOpen && !slices.Contains(q.Open, group) {
			q.Open = append(q.Open, group)
		}
	}
	return q
}

// values is the query as an address has it, without what goes without saying.
func (q listQuery) values() url.Values {
	v := url.Values{}
	set := func(name, value string, said bool) {
		if said {
			v.Set(name, value)
		}
	}
	set("q", q.Find, q.Find != "")
	order := q.Sort
	if q.Desc {
		order = "-" + order
	}
	set("sort", order, order != byName)
	set("page", strconv.Itoa(q.Page), q.Page > 1)
	set("at", q.At, q.At != "")
	if len(q.Open) > 0 {
		v["open"] = q.Open
	}
	return v
}

// address is where the list is shown so.
func (q listQuery) address() string {
	if encoded := q.values().Encode(); encoded != "" {
		return "/?" + encoded
	}
	return "/"
}

// grouped reports whether tokens of one slot stand together.
func (q listQuery) grouped() bool { return q.Sort == byName }

// sortedBy is the query for another order: by a column, or the other way round
// if the list is sorted by it already.
func (q listQuery) sortedBy(column string) listQuery {
	if q.Sort == column {
		q.Desc = !q.Desc
	} else {
		// Whoever asks for times wants the latest first, but the next end.
		q.Sort, q.Desc = column, column == byCreated || column == byUsed
	}
	q.Page, q.At = 1, ""
	return q
}

// turnedTo is the query for another page of the list.
func (q listQuery) turnedTo(page int) listQuery {
	q.Page, q.At = page, ""
	return q
}

// toggled is the query with a group opened, or closed if it was open.
func (q listQuery) toggled(group string) listQuery {
	open := slices.Clone(q.Open)
	if at := slices.Index(open, group); at >= 0 {
		q.Open = slices.Delete(open, at, at+1)
	} else {
		q.Open = append(open, group)
	}
	return q
}

// fields are the query as the hidden fields of a form.
func (q listQuery) fields() []field {
	var list []field
	for name, values := range q.values() {
		for _, value := range values {
			list = append(list, field{name, value})
		}
	}
	slices.SortFunc(list, func(a, b field) int { return strings.Compare(a.Name+a.Value, b.Name+b.Value) })
	return list
}

type field struct{ Name, Value string }
