package web_test

import (
	"testing"

	"github.com/narthex/narthex/internal/httpapi/flowtest"
	"github.com/narthex/narthex/internal/web"
)

// BenchmarkNew is what the pages cost at the start of the process: every page, in every state and language.
func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		if err := web.CheckTheme(nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPage is what one page costs: nothing of it is parsed anew.
func BenchmarkPage(b *testing.B) {
	p := visit(b, &flowtest.Engine{})
	b.ResetTimer()
	for b.Loop() {
		p.open(flowPath)
	}
}
