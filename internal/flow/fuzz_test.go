package flow_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"testing"

	"github.com/narthex/narthex/internal/flow"
)

func FuzzAnswer(f *testing.F) {
	for _, step := range []string{"typed", "username", "verify-email"} {
		f.Add(step, `{"items":{"email":"ada@example.org","size":1e3}}`)
		f.Add(step, `{"code":"1234 5678"}`)
	}
	w := newWorld(f, typed)
	first := full()
	f.Fuzz(func(t *testing.T, step, body string) {
		var a flow.Answer
		if json.Unmarshal([]byte(body), &a) != nil {
			return
		}
		w.TB = t
		p := w.begin()
		if step != "typed" {
			p.must(p.answer("typed", items(maps.Clone(first))))
		}
		if step == "verify-email" {
			p.must(p.answer("username", items(object{"username": "ada"})))
		}
		_, err := w.Answer(context.Background(), p.token, step, a)
		var problem *flow.Problem
		if err != nil && !errors.As(err, &problem) {
			t.Fatalf("an answer is a fault of ours: %v", err)
		}
	})
}
