package message_test

import (
	"os"
	"testing"

	"github.com/narthex/narthex/testenv"
)

func TestMain(m *testing.M) {
	code := m.Run()
	testenv.StopShared()
	os.Exit(code)
}
