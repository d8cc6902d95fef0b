package flow

import "github.com/narthex/narthex/internal/failpoint"

// The writes of a registration. Each has two failpoints, its name with ".before" and ".after".
const (
	writeInsert    = "flow.insert"    // the first row
	writeAnswer    = "flow.answer"    // an answer was taken
	writeCount     = "flow.count"     // an attempt is counted
	writeResend    = "flow.resend"    //
	writeChange    = "flow.change"    //
	writeIntent    = "flow.intent"    // an account is about to be created
	writeCreate    = "flow.create"    // the store creates it
	writeCompleted = "flow.completed" // it exists
	writeReleased  = "flow.released"  // it does not, and the same attempt may go on
	writeRetreat   = "flow.retreat"   // it does not, and the attempt was given up
	writeAbort     = "flow.abort"     //
	writeResolve   = "flow.resolve"   // the worker asks the store
	writeResolved  = "flow.resolved"  // the worker found that it exists
)

// Failpoints lists the places that every registration passes, in this order, where a crash test can stop the engine.
func Failpoints() []string {
	return points(writeInsert, writeAnswer, writeCount, writeIntent, writeCreate, writeCompleted)
}

// FurtherFailpoints lists the places that only some registrations pass.
func FurtherFailpoints() []string {
	return points(writeResend, writeChange, writeReleased, writeRetreat, writeAbort, writeResolve, writeResolved)
}

func points(writes ...string) []string {
	var all []string
	for _, w := range writes {
		all = append(all, w+".before", w+".after")
	}
	return all
}

// write does one write between its failpoints.
func write(name string, do func() error) error {
	failpoint.Hit(name + ".before")
	err := do()
	failpoint.Hit(name + ".after")
	return err
}
