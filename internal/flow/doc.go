// Package flow is the registration engine: it reads the flows file and walks people through its flows.
//
// The [Dispatcher] makes every trip: it loads the row, lets the current step judge the answer, enters the next steps
// until one waits, and commits row and messages together. A step ([Step]) only looks and returns what should happen;
// nothing but the dispatcher writes, sends, creates an account or picks the next step, so no step can skip a check.
// The next step is always the first one of the flow that is not done, so no way through a flow leaves one out.
//
// It leaves how identifiers are compared to internal/identifier, how rows are kept to internal/state, how they are
// sealed to internal/seal, how mails look and go out to internal/message, and what an account is to plugin.
package flow
