package testenv_test

import (
	"os"
	"testing"

	"github.com/narthex/narthex/testenv"
)

func TestMain(m *testing.M) {
	code := m.Run()
	testenv.RemoveBinary()
	os.Exit(code)
}
