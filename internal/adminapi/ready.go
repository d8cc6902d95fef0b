package adminapi

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
)

// checkTimeout bounds every check: an answer that comes later helps nobody.
const checkTimeout = 3 * time.Second

// health is the answer of both probes. Checks holds "ok" or "failing" by name; why it fails stands in the log.
type health struct {
	Status string            `json:"status"`
	Checks map[string]string `json:"checks,omitempty"`
}

func (a *API) ready(c *gin.Context) {
	h := health{Status: "ready", Checks: a.look(c.Request.Context())}
	status := http.StatusOK
	for _, check := range a.checks {
		switch {
		case h.Checks[check.Name] == "ok":
		case !check.Spared:
			h.Status, status = "not ready", http.StatusServiceUnavailable
		case status == http.StatusOK:
			h.Status = "degraded"
		}
	}
	if a.draining.Load() {
		h.Status, status = "draining", http.StatusServiceUnavailable
	}
	c.JSON(status, h)
}

// look runs all checks at the same time.
func (a *API) look(ctx context.Context) map[string]string {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	errs := make([]error, len(a.checks))
	var wg sync.WaitGroup
	for i, check := range a.checks {
		wg.Go(func() { errs[i] = check.Run(ctx) })
	}
	wg.Wait()
	results := make(map[string]string, len(a.checks))
	for i, check := range a.checks {
		results[check.Name] = "ok"
		if errs[i] != nil {
			results[check.Name] = "failing"
		}
		a.note(check.Name, errs[i])
	}
	return results
}

// note logs a check's result when it is another one than before.
func (a *API) note(name string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case err != nil && !a.ill[name]:
		a.log.Warn("a part is ill", "check", name, "error", err)
	case err == nil && a.ill[name]:
		a.log.Info("a part is well again", "check", name)
	}
	a.ill[name] = err != nil
}
