package docs_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/narthex/narthex/internal/config"
)

func TestTheTableOfSettingsIsThatOfTheProgram(t *testing.T) {
	var want strings.Builder
	for _, s := range config.Table() {
		if s.Later != "" {
			continue
		}
		name, value := "`"+s.Name+"`", s.Default
		if s.Secret {
			name += ", `_FILE`"
		}
		if value == "" {
			value = "none"
		}
		fmt.Fprintf(&want, "| %s | %s | %s |\n", name, s.Meaning, value)
	}
	_, table, _ := strings.Cut(read(t, "settings.md"), "|---|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	if table+"\n" != want.String() {
		t.Errorf("the table should be\n%s", want.String())
	}
}
