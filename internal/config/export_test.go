package config

import (
	"strings"

	"github.com/kelseyhightower/envconfig"
)

// ReadDefaults lists the variables that envconfig reads, with the defaults that it knows.
func ReadDefaults() (map[string]string, error) {
	var out strings.Builder
	err := envconfig.Usagef(strings.TrimSuffix(Prefix, "_"), &variables{}, &out, "{{range .}}{{usage_key .}}={{usage_default .}}\n{{end}}")
	defaults := map[string]string{}
	for line := range strings.Lines(out.String()) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		defaults[name] = value
	}
	return defaults, err
}
