package sandbox

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Sort columns of the list. Sorted by name, tokens are grouped by slot; sorted by any other
// column, they form one list.
const (
	byName    = "name"
	byCreated = "created"
	byUsed    = "used"
	byExpires = "expires"
	byStatus  = "status"
)

const (
	maxFind = 200 // maximum length of a search, in bytes
	maxOpen = 100 // maximum number of unfolded groups in an address
)

// listQuery describes the view of the list. It is encoded in the page's address, so it needs
// no JavaScript, survives a reload, and can be shared.
type listQuery struct {
	Find string   // words that must all occur in a token's name, ID, status or place in a store
	Sort string   // one of the columns
	Desc bool     // descending
	Page int      // starting at 1
	Open []string // unfolded groups
	At   string   // ID of the token just created or revoked, which is shown first
}

// readQuery reads an address leniently and ignores invalid values.
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

// values encodes the query, omitting default values.
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

// address returns the path and query of this view.
func (q listQuery) address() string {
	if encoded := q.values().Encode(); encoded != "" {
		return "/?" + encoded
	}
	return "/"
}

// grouped reports whether tokens are grouped by slot.
func (q listQuery) grouped() bool { return q.Sort == byName }

// sortedBy returns the query sorted by column, or with the order reversed if the list is
// already sorted by it.
func (q listQuery) sortedBy(column string) listQuery {
	if q.Sort == column {
		q.Desc = !q.Desc
	} else {
		// Times sort latest first, except expiry, which sorts earliest first.
		q.Sort, q.Desc = column, column == byCreated || column == byUsed
	}
	q.Page, q.At = 1, ""
	return q
}

// turnedTo returns the query for another page of the list.
func (q listQuery) turnedTo(page int) listQuery {
	q.Page, q.At = page, ""
	return q
}

// toggled returns the query with a group unfolded, or folded if it was unfolded.
func (q listQuery) toggled(group string) listQuery {
	open := slices.Clone(q.Open)
	if at := slices.Index(open, group); at >= 0 {
		q.Open = slices.Delete(open, at, at+1)
	} else {
		q.Open = append(open, group)
	}
	return q
}

// fields returns the query as hidden form fields.
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
