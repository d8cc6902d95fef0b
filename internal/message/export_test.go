package message

import "time"

// For the tests.
var NewRendererOf = newRenderer

const SizeClass = sizeClass

// SetStep limits every step of talking to a mail server.
func (s *SMTP) SetStep(d time.Duration) { s.step = d }
