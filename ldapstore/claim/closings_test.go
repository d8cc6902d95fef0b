package claim

import (
	"context"
	"testing"
	"time"
)

func TestClosings(t *testing.T) {
	t.Parallel()
	blocked := func(t *testing.T) (s *Store, free func()) {
		t.Helper()
		s = New(Config{})
		until, free := context.WithCancel(t.Context())
		for range manyClosings {
			s.afterwards(t.Context(), "test", func(ctx context.Context) error {
				select {
				case <-until.Done():
				case <-ctx.Done():
				}
				return nil
			})
		}
		return s, free
	}
	t.Run("when too many go on, the caller closes before the answer", func(t *testing.T) {
		t.Parallel()
		s, free := blocked(t)
		done := false
		s.afterwards(t.Context(), "test", func(context.Context) error { done = true; return nil })
		if !done {
			t.Error("it goes on beside all the others")
		}
		free()
		s.Wait()
	})
	t.Run("the caller spends half of its time on it", func(t *testing.T) {
		t.Parallel()
		s, free := blocked(t)
		defer free()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		s.afterwards(ctx, "test", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		if ctx.Err() != nil {
			t.Error("nothing is left of it")
		}
	})
	t.Run("a caller who goes away cuts nothing off", func(t *testing.T) {
		t.Parallel()
		s := New(Config{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		s.afterwards(ctx, "test", func(ctx context.Context) error {
			if ctx.Err() != nil {
				t.Error("cut off")
			}
			return nil
		})
		s.Wait()
	})
	t.Run("closing the store waits for them and then cuts them off", func(t *testing.T) {
		t.Parallel()
		s, free := blocked(t)
		defer free()
		began := time.Now()
		s.Close(50 * time.Millisecond)
		if took := time.Since(began); took < 40*time.Millisecond || took > 5*time.Second {
			t.Errorf("it takes %v", took)
		}
	})
}
