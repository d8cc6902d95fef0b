// Command narthex puts self-registration in front of the directory you already run. It owns the wiring: which settings
// make which parts, in which order they start and stop. What the parts do stands in their own packages.
package main

import (
	"os"

	"github.com/narthex/narthex/internal/timerslack"
)

func main() {
	if len(os.Args) == 1 || os.Args[1] == "serve" {
		timerslack.Relax() // before anybody listens to signals: one that comes meanwhile must not get lost
	}
	os.Exit(execute(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
