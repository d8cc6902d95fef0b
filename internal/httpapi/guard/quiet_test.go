package guard_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/narthex/narthex/internal/httpapi/guard"
)

// inside is set where this program runs as gin would have it without us: in its debug mode, which is also that of a
// process that says nothing.
const inside = "NARTHEX_TEST_GIN"

func TestGinRunsInReleaseModeAndPrintsNothing(t *testing.T) {
	if os.Getenv(inside) != "" {
		useEngine(t)
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	child.Env = append(os.Environ(), inside+"=1", gin.EnvGinMode+"="+gin.DebugMode)
	out, err := child.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Fatalf("%v: %s", err, out)
	}
	if lower := strings.ToLower(string(out)); strings.Contains(lower, "[gin") || strings.Contains(lower, "debug") || strings.Count(lower, "\n") > 3 {
		t.Errorf("it prints %s", out)
	}
}

// useEngine makes an engine do everything that gin has something to say about.
func useEngine(t *testing.T) {
	if gin.Mode() != gin.DebugMode {
		t.Fatalf("it begins in the mode %q", gin.Mode())
	}
	for range 2 {
		e := guard.NewEngine(guard.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Refuse: func(c *gin.Context, _ guard.Refusal) {
			c.String(http.StatusNotFound, "refused")
		}})
		if gin.Mode() != gin.ReleaseMode {
			t.Fatalf("an engine runs in the mode %q", gin.Mode())
		}
		e.GET("/fine", func(c *gin.Context) {
			c.JSON(http.StatusOK, "fine")
			c.JSON(http.StatusCreated, "again")
		})
		e.GET("/panic", func(*gin.Context) { panic("thrown") })
		for _, path := range []string{"/fine", "/panic", "/nowhere"} {
			e.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
		}
	}
}
