package message_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/message"
	"github.com/narthex/narthex/internal/seal"
	"github.com/narthex/narthex/internal/state"
	"github.com/narthex/narthex/testenv"
)

// TestNoMailIsLostWhateverTheServerDoes sends through two queues on one outbox to a server that is ill in one way after
// the other. Time passes twenty times as fast, save on the line.
func TestNoMailIsLostWhateverTheServerDoes(t *testing.T) {
	t.Parallel()
	const people, speed = 48, 20
	began := time.Now()
	clock := func() time.Time { return began.Add(time.Since(began) * speed) }
	server := testenv.StartSMTP(t, testenv.SMTPOptions{})
	db, err := state.Open(t.Context(), state.Config{Path: filepath.Join(t.TempDir(), "state.db"), Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	keys, err := seal.NewKeyring(secret)
	if err != nil {
		t.Fatal(err)
	}
	renderer, err := message.NewRenderer(nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var queues [2]*message.Queue
	var all sync.WaitGroup
	for i := range queues {
		transport := connect(t, server)
		transport.SetStep(200 * time.Millisecond)
		queues[i] = message.New(message.Config{Outbox: db, Keys: keys, Renderer: renderer, Transport: transport, From: "accounts@example.org", Clock: clock,
			Log: slog.New(slog.DiscardHandler)})
		all.Go(func() { queues[i].Run(ctx) })
	}
	defer all.Wait()
	defer stop()

	ills := []testenv.SMTPBehaviour{testenv.SMTPDropsBeforeReply, testenv.SMTPSilent, testenv.SMTPCloses, testenv.SMTPNoSTARTTLS, testenv.SMTPGreylists, testenv.SMTPOneLetter}
	for i := range people {
		server.Behave(ills[i*len(ills)/people])
		if i == people/2 {
			server.Stop()
		}
		if i == people/2+8 {
			server.Restart()
		}
		q := queues[i%2]
		v := verification()
		v.To, v.Stealth, v.ExpiresAt = fmt.Sprintf("person%d@example.org", i), false, clock().Add(time.Hour)
		m, err := q.Compose(v)
		if err != nil {
			t.Fatal(err)
		}
		ref := fmt.Sprint(i)
		if _, err := db.Insert(t.Context(), state.Row{Ref: ref, Locator: []byte(ref), Flow: "f", Step: "s", Phase: state.PhaseOpen,
			SealedFor: state.SealedForClient, Sealed: []byte("x")}, m); err != nil {
			t.Fatal(err)
		}
		q.Enqueue(m)
		time.Sleep(40 * time.Millisecond)
	}
	server.Behave(testenv.SMTPWell)
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if n, err := db.WaitingMessages(t.Context()); err == nil && n == 0 {
			break
		}
	}
	for i := range people {
		names, taken := map[string]bool{}, false
		for _, m := range server.Mails(fmt.Sprintf("person%d@example.org", i)) {
			names[parse(t, m.Raw).header.Get("Message-Id")] = true
			taken = taken || m.Acknowledged
		}
		if !taken || len(names) != 1 {
			t.Errorf("for person %d came %d different letters, taken: %v", i, len(names), taken)
		}
	}
	for _, q := range queues {
		if c := q.Counts(); c.Expired+c.Refused > 0 {
			t.Errorf("counts %+v", c)
		}
	}
}
