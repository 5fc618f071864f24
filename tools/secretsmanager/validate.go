package main

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// limits are the limits of one value in AWS's model.
type limits struct {
	required bool
	min, max int // characters of text, bytes of a blob, elements of a list, or the number itself; max 0 = unlimited
	pattern  string
	enum     []string
}

// limited is implemented by list elements that have limits.
type limited interface{ limits() string }

// parseLimits parses a tag such as "required,min=1,max=512". A pattern comes last, because it may
// contain commas.
func parseLimits(tag string) limits {
	var l limits
	tag, l.pattern, _ = strings.Cut(tag, "pattern=")
	for word := range strings.SplitSeq(tag, ",") {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "required":
			l.required = true
		case "min":
			l.min, _ = strconv.Atoi(value)
		case "max":
			l.max, _ = strconv.Atoi(value)
		case "enum":
			l.enum = strings.Split(value, "|")
		}
	}
	return l
}

// validate checks a request against the limits in its struct tags. Its error has the text of
// AWS's front end.
func validate(input any) error {
	var found []string
	members(reflect.ValueOf(input), "", &found)
	switch len(found) {
	case 0:
		return nil
	case 1:
		return refuse(validation, "1 validation error detected: %s", found[0])
	}
	return refuse(validation, "%d validation errors detected: %s", len(found), strings.Join(found, "; "))
}

// members checks each member of a structure. Members of an embedded structure count as its own.
func members(structure reflect.Value, path string, found *[]string) {
	for i := range structure.NumField() {
		field, value := structure.Type().Field(i), structure.Field(i)
		if field.Anonymous {
			members(value, path, found)
			continue
		}
		checkValue(value, path+lowerFirst(field.Name), parseLimits(field.Tag.Get("aws")), found)
	}
}

func checkValue(value reflect.Value, path string, l limits, found *[]string) {
	if value.Kind() == reflect.Pointer && !value.IsNil() {
		value = value.Elem()
	} else if value.IsZero() {
		if l.required {
			*found = append(*found, fmt.Sprintf("Value at '%s' failed to satisfy constraint: Member must not be null", path))
		}
		return
	}
	if broken := l.broken(value); broken != "" {
		*found = append(*found, fmt.Sprintf("Value at '%s' failed to satisfy constraint: %s", path, broken))
	}
	if value.Kind() != reflect.Slice || value.Type().Elem().Kind() == reflect.Uint8 {
		return
	}
	for i := range value.Len() {
		element, at := value.Index(i), fmt.Sprintf("%s.%d.member", path, i+1)
		if element.Kind() == reflect.Struct {
			members(element, at+".", found)
		} else if own, ok := element.Interface().(limited); ok {
			if broken := parseLimits(own.limits()).broken(element); broken != "" {
				*found = append(*found, fmt.Sprintf("Value at '%s' failed to satisfy constraint: %s", at, broken))
			}
		}
	}
}

// broken returns AWS's text for the limit that a value violates, or "".
func (l limits) broken(value reflect.Value) string {
	size, unit := 0, "length"
	switch value.Kind() {
	case reflect.String:
		size = utf8.RuneCountInString(value.String())
	case reflect.Slice:
		size = value.Len()
	case reflect.Int64:
		size, unit = int(value.Int()), "value"
	default:
		return ""
	}
	switch {
	case size < l.min:
		return fmt.Sprintf("Member must have %s greater than or equal to %d", unit, l.min)
	case l.max > 0 && size > l.max:
		return fmt.Sprintf("Member must have %s less than or equal to %d", unit, l.max)
	case l.enum != nil && !slices.Contains(l.enum, value.String()):
		return fmt.Sprintf("Member must satisfy enum value set: [%s]", strings.Join(l.enum, ", "))
	case l.pattern != "" && !regexp.MustCompile(l.pattern).MatchString(value.String()):
		return "Member must satisfy regular expression pattern: " + l.pattern
	}
	return ""
}

func lowerFirst(name string) string {
	if name == "" {
		return ""
	}
	return strings.ToLower(name[:1]) + name[1:]
}
