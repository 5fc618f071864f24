package secret

import "testing"

func TestRedact(t *testing.T) {
	t.Parallel()
	vault, short := New("hvs.CAESIJ-not-a-real-one-kX2"), New("abc")
	tests := []struct{ name, in, want string }{
		{"no secret", "permission denied for abc", "permission denied for abc"}, // too short to search for
		{"the whole", "token hvs.CAESIJ-not-a-real-one-kX2 is bad", "token [redacted] is bad"},
		{"a part", "token …not-a-real… is bad", "token …[redacted]… is bad"},
		{"a stranger's", "key 0123456789abcdef0123456789", "key [redacted]"},
		{"lines", "a\r\nb", "a b"},
	}
	for _, test := range tests {
		if got := Redact(test.in, vault, short, Secret{}); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}
