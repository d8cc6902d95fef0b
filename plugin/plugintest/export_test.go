package plugintest

import "github.com/narthex/narthex/plugin"

// Claims judges what a store offers and what its test disclaims.
func Claims(t TB, d plugin.Description, options ...Option) { claims(t, d, newSettings(options)) }
