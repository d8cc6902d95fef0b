package plugin

import (
	"strconv"
	"time"
)

// Quick returns cfg with a supervisor that is in a hurry.
func Quick(cfg OpenConfig) OpenConfig {
	cfg.timing = &timing{
		start: 3 * time.Second, gap: 2 * time.Second,
		firstBackoff: 10 * time.Millisecond, longBackoff: 50 * time.Millisecond, steady: time.Minute,
		checkEvery: 100 * time.Millisecond, checkLimit: 200 * time.Millisecond, checksToKill: 2,
		drain: 2 * time.Second, endGracefully: time.Second,
	}
	return cfg
}

// PID returns the id of the process that runs, 0 when none does.
func (h *Host) PID() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.current == nil {
		return 0
	}
	pid, _ := strconv.Atoi(h.current.process.ID())
	return pid
}

// SocketDirPath returns where the host's sockets lie.
func (h *Host) SocketDirPath() string { return h.dir.path }
