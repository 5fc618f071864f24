package job

import (
	"bytes"
	"slices"
	"strings"

	"github.com/paistrike/terraform-provider-paistrike/internal/input"
)

// secretVariable reports whether a variable contains a credential of exec itself.
func secretVariable(name string) bool {
	return strings.HasPrefix(name, "INPUT_") || slices.ContainsFunc(input.Exec(), func(in input.Input) bool {
		return in.Secret && (in.Variable() == name || in.Env == name)
	})
}

// blank overwrites the values of secret variables in an environment block, a sequence of
// NUL-terminated NAME=value pairs. The length of the block does not change.
func blank(block []byte) {
	for len(block) > 0 {
		pair, rest, _ := bytes.Cut(block, []byte{0})
		if name, value, ok := bytes.Cut(pair, []byte("=")); ok && secretVariable(string(name)) {
			for i := range value {
				value[i] = '*'
			}
		}
		block = rest
	}
}
