package plugintest_test

import (
	"testing"

	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/plugin/plugintest"
)

func TestACorrectStorePasses(t *testing.T) {
	plugintest.Run(t, func(*testing.T) plugin.Persister { return newMemory() })
}
