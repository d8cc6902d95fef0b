package testenv_test

import (
	"path/filepath"
	"testing"

	"github.com/narthex/narthex/testenv"
)

// TestKilledAtTheTurningPointsOnPostgreSQL is TestKilledAtEveryWrite where the databases outlive the process: at the
// writes after which another one would find something half done.
func TestKilledAtTheTurningPointsOnPostgreSQL(t *testing.T) {
	testenv.Binary(t)
	for point, victim := range map[string]string{
		"state.insert.uncommitted":    "sidecar",
		"message.send.before":         "sidecar", // its lease of a minute has to run out
		"message.send.after":          "sidecar",
		"state.count.after":           "sidecar",
		"state.commit.uncommitted:2":  "sidecar",
		"flow.intent.after":           "sidecar",
		"sqlstore.create.uncommitted": "persister",
		"sqlstore.create.committed":   "persister",
		"flow.completed.before":       "sidecar",
		"flow.completed.after":        "sidecar",
	} {
		t.Run(victim+"/"+point, func(t *testing.T) {
			t.Parallel()
			crash := &crashRun{T: t, point: point, victim: victim, marker: filepath.Join(t.TempDir(), "hit"),
				state: testenv.PostgreSQLDatabase(t), accounts: testenv.PostgreSQLDatabase(t)}
			crash.run()
		})
	}
}
