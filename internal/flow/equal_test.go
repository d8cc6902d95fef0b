package flow_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/narthex/narthex/internal/flow"
)

func TestFiftyRegistrationsOfEqualAddressesMakeOneAccount(t *testing.T) {
	w := newWorld(t, "")
	spellings := []string{"ada@example.org", "ADA@example.org", "Ada@EXAMPLE.org", "aDa@Example.Org"}
	people := make([]*person, 50)
	for i := range people {
		people[i] = w.begin().toPassword(spellings[i%len(spellings)])
	}
	var mu sync.Mutex
	outcomes := map[flow.Code]int{}
	together(len(people), func(i int) {
		_, err := w.Answer(context.Background(), people[i].token, "password", answerOf(items(object{"password": goodPassword})))
		var problem *flow.Problem
		code := flow.Code("completed")
		if errors.As(err, &problem) {
			code = problem.Code
		}
		mu.Lock()
		defer mu.Unlock()
		outcomes[code]++
	})
	if outcomes["completed"] != 1 || outcomes[flow.CodeIdentifierTaken] != 49 || len(w.store.accounts()) != 1 {
		t.Errorf("outcomes %v, %d accounts", outcomes, len(w.store.accounts()))
	}
}

func TestAThousandPeopleOfOneName(t *testing.T) {
	w := newWorld(t, "")
	var mu sync.Mutex
	names := map[string]bool{}
	for batch := range 20 {
		together(50, func(i int) {
			p := w.begin()
			email := fmt.Sprintf("ada.lovelace.%d@example.org", batch*50+i)
			p.toPassword(email).finish()
			mu.Lock()
			defer mu.Unlock()
			names[p.last.Username] = true
		})
	}
	if _, creates := w.store.counts(); len(names) != 1000 || creates != 1000 {
		t.Errorf("%d names, %d executions", len(names), creates)
	}
}

func TestUsernamesAreDrawnWhateverPeopleAreCalled(t *testing.T) {
	w := newWorld(t, "")
	for _, name := range []string{"李", "😀😀", "ﷺ", strings.Repeat("é", 64), "'; DROP TABLE", "-", "admin"} {
		p := w.begin()
		email := fmt.Sprintf("p%d@example.org", len(w.store.accounts()))
		p.must(p.answer("about-you", items(object{"email": email, "given_name": name, "family_name": name})))
		p.must(p.code(w.mail.code(email)))
		p.finish()
		if len(p.last.Username) != 12 {
			t.Errorf("%q gets the username %q", name, p.last.Username)
		}
	}
}
