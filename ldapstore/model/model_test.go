package model_test

import (
	"errors"
	"testing"

	"github.com/narthex/narthex/ldapstore/model"
)

// limits are far above what the short set needs: a search that meets one is incomplete, which is a failure.
var limits = model.Limits{Megabytes: 1500}

func TestProtocol(t *testing.T) {
	for _, s := range model.Short() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			r, err := s.Run(t.Context(), t.TempDir(), limits)
			if errors.Is(err, model.ErrMissing) {
				t.Fatal(err)
			}
			if err != nil {
				t.Fatalf("no search: %v", err)
			}
			if err := s.Judge(r); err != nil {
				t.Fatalf("%v\nto see it: go run ./ldapstore/model/search -match '%s'", err, s)
			}
			if !s.Broken() && (r.Errors != 0 || !r.Complete || r.States < 1000) {
				t.Fatalf("judged well, but: %+v", r)
			}
		})
	}
}
