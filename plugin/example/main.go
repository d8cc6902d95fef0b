// Command example is a persister as its author would write it: accounts with passwords in one JSON file. Copy it to begin
// your own. It owns its file and its settings; the wire, the log and the life of the process are package plugin's.
package main

import (
	"fmt"
	"log"
	"os"

	"github.com/goccy/go-yaml"

	"github.com/narthex/narthex/plugin"
)

// settings are in the YAML file that NARTHEX_PERSISTER_CONFIG names.
type settings struct {
	Dir  string `yaml:"dir"`  // where the accounts are: a directory of the store's own
	Hash cost   `yaml:"hash"` // of new passwords
}

func main() {
	if err := run(); err != nil {
		log.Fatalln("example persister:", err)
	}
}

func run() error {
	cfg := settings{Hash: cost{MemoryKiB: 19456, Passes: 2}} // what OWASP recommends
	text, err := os.ReadFile(os.Getenv("NARTHEX_PERSISTER_CONFIG"))
	if err == nil {
		err = yaml.UnmarshalWithOptions(text, &cfg, yaml.Strict()) // a misspelt key does not become a default
	}
	if err != nil {
		return fmt.Errorf("read the settings that NARTHEX_PERSISTER_CONFIG names: %s", yaml.FormatError(err, false, false))
	}
	s, err := open(cfg)
	if err != nil {
		return fmt.Errorf("open the accounts in %q: %w", cfg.Dir, err)
	}
	return plugin.Serve(plugin.ServeConfig{Persister: s})
}
