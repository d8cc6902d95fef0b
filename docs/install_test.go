package docs_test

import (
	"strings"
	"testing"
)

// TestNoInstallationDumpsCore: a core dump would hold the passwords of whoever is just logging in.
func TestNoInstallationDumpsCore(t *testing.T) {
	_, service, _ := strings.Cut(read(t, "install/narthex.service"), "\n[Service]\n")
	service, _, _ = strings.Cut(service, "\n[Install]\n")
	if !strings.Contains(service, "\nLimitCORE=0\n") {
		t.Error("the unit allows core dumps")
	}
	starts := 0
	for line := range strings.Lines(read(t, "install.md")) {
		if strings.Contains(line, "docker run ") {
			if starts++; !strings.Contains(line, " --ulimit core=0 ") {
				t.Errorf("this allows core dumps: %s", line)
			}
		}
	}
	if starts == 0 {
		t.Error("no container is started")
	}
}
