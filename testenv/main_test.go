package testenv_test

import (
	"flag"
	"os"
	"testing"

	"github.com/narthex/narthex/testenv"
)

func TestMain(m *testing.M) {
	// Most of these tests wait for processes and clocks, not for a core.
	flag.Parse()
	if os.Getenv(holdDirectories) != "" {
		os.Exit(testenv.Command(os.Stderr, hold))
	}
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	code := m.Run()
	testenv.CloseBrowser()
	testenv.RemoveBinary()
	testenv.StopShared()
	os.Exit(code)
}
