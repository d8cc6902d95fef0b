package ldapstore_test

import (
	"strings"
	"testing"

	"github.com/narthex/narthex/ldapstore"
	"github.com/narthex/narthex/testenv"
)

func TestAStoreThatMayNotCreateAccountsDoesNotOpenAndSaysWhatToDo(t *testing.T) {
	d := testenv.StartSlapd(t)
	store, err := ldapstore.Open(t.Context(), at(t, d))
	if err == nil {
		_ = store.Close()
		t.Fatal("it opens")
	}
	if !strings.Contains(err.Error(), "directory check") || !strings.Contains(err.Error(), "cannot add claims") {
		t.Errorf("the error does not say what to do: %v", err)
	}
}
