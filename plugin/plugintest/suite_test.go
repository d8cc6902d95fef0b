package plugintest_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/plugin/plugintest"
)

func TestACorrectStorePasses(t *testing.T) {
	plugintest.Run(t, func(*testing.T) plugin.Persister { return newMemory() })
}

// broken says which rule catches which fault.
var broken = []struct {
	rule  string
	fault string
	store func() plugin.Persister
}{
	{"Describe/says the same every time", "describes itself anew", func() plugin.Persister { return changesItsMind{newMemory()} }},
	{"Ping/a store that can be reached answers without an error", "is down", func() plugin.Persister { return isDown{newMemory()} }},

	{"Create/returns the account as it was given, and so do Get and Lookup", "one answer alters texts", func() plugin.Persister { return changesValues{newMemory(), upper} }},
	{"Create/the time of creation is that of the commit", "local time", func() plugin.Persister { return createsInLocalTime{newMemory()} }},
	{"Create/a locked account is locked from its first moment", "state forgotten", func() plugin.Persister { return unlocksNewcomers{newMemory()} }},
	{"Create/an account is put into its groups", "one group of two", func() plugin.Persister { return forgetsGroups{newMemory()} }},
	{"Create/an account that breaks a rule of the contract is ErrInvalid and leaves nothing", "no validation", func() plugin.Persister { return takesAnything{newMemory()} }},
	{"Create/a password that breaks a rule of the contract is ErrInvalid and names the password", "no validation", func() plugin.Persister { return takesAnything{newMemory()} }},

	{"Create/values of every declared type come back equal", "everything is a text", func() plugin.Persister { return changesValues{newMemory(), untyped} }},
	{"Create/several values of an attribute come back as a set", "first value only", func() plugin.Persister { return firstValueOnly{newMemory()} }},
	{"Create/two keys in one attribute both come back", "values in capitals", func() plugin.Persister { return changesValues{newMemory(), upper} }},
	{"Create/texts with characters of filters, names and statements come back byte for byte", "trimmed", func() plugin.Persister { return changesValues{newMemory(), trimmed} }},
	{"Create/a text of 64 octets and one of the declared maximum come back whole", "cut at 255", func() plugin.Persister { return changesValues{newMemory(), cut} }},
	{"Create/identifiers with characters of filters and names are found and come back", "trimmed", func() plugin.Persister { return changesValues{newMemory(), trimmed} }},

	{"Create/a key that another account holds is ErrExists and names its attribute", "wrong field", func() plugin.Persister { return blamesTheUsername{newMemory()} }},
	{"Create/a key that another account holds is ErrExists and names its attribute", "an error that only reads like it", func() plugin.Persister { return lookAlikes{newMemory()} }},
	{"Create/the keys of an account are taken all or none", "half account left", func() plugin.Persister { return leavesHalf{newMemory()} }},
	{"Create/username, email and phone share one namespace", "a namespace for each kind", func() plugin.Persister { return namespaces{newMemory()} }},
	{"Create/keys are told apart byte by byte", "case folded", func() plugin.Persister { return foldsCaseOfNewKeys{newMemory()} }},

	{"Create/the same attempt again returns the account that it made", "not idempotent", func() plugin.Persister { return forgetsAttempts{newMemory()} }},
	{"Create/the same attempt at the same time makes one account", "not idempotent", func() plugin.Persister { return forgetsAttempts{newMemory()} }},
	{"Create/the password of the execution that made the account stays", "last password wins", func() plugin.Persister { return lastPasswordWins{newMemory()} }},
	{"Create/another attempt for the same keys is ErrExists", "joined by keys", func() plugin.Persister { return joinsByKeys{newMemory()} }},
	{"Create/an attempt that was refused may succeed later", "half account left", func() plugin.Persister { return leavesHalf{newMemory()} }},

	{"Create/an execution after its NotAfter is ErrUnavailable and leaves nothing", "NotAfter ignored", func() plugin.Persister { return ignoresNotAfter{newMemory()} }},
	{"Create/a NotAfter that passes meanwhile leaves all or nothing", "an error that only reads like it", func() plugin.Persister { return unavailableInWords{newMemory()} }},
	{"Create/an execution that stalls past its NotAfter does not commit", "clock looked at on arrival", func() plugin.Persister { return looksAtTheClockOnArrival{newMemory()} }},

	{"Resolve/an attempt that was never executed is ErrNotFound and makes nothing", "any account will do", func() plugin.Persister { return resolvesHappily{newMemory()} }},
	{"Resolve/a committed attempt is its account, however often it is asked for", "always not found", func() plugin.Persister { return resolvesNothing{newMemory()} }},
	{"Resolve/another attempt's account is not this attempt's", "who holds the keys", func() plugin.Persister { return resolvesByKeys{newMemory()} }},
	{"Resolve/an abandoned execution is settled for good", "goes on in the background", func() plugin.Persister { return commitsInTheBackground{newMemory()} }},
	{"Resolve/an execution that began earlier never commits after ErrNotFound", "no fence", func() plugin.Persister { return resolvesWithoutFence{newMemory()} }},
	{"Resolve/one that overtakes an execution under way settles it for good", "no fence", func() plugin.Persister { return slow{resolvesWithoutFence{newMemory()}} }},
	{"Resolve/arguments that break a rule of the contract are ErrInvalid", "who holds the keys", func() plugin.Persister { return resolvesByKeys{newMemory()} }},

	{"Create/of many who want one key at the same moment one gets it", "looks, then adds", func() plugin.Persister { return twoWinners{newMemory()} }},
	{"Create/of many who want one key at the same moment one gets it", "half account left", func() plugin.Persister { return leavesHalf{newMemory()} }},
	{"Create/pairs of keys wanted in opposite order come to an end with one winner", "locks up", func() plugin.Persister { return locksUp{newMemory()} }},
	{"Create/pairs of keys wanted in opposite order come to an end with one winner", "looks, then adds", func() plugin.Persister { return twoWinners{newMemory()} }},

	{"Lookup/another spelling with the same canonical key finds the account", "values compared", func() plugin.Persister { return comparesValues{newMemory()} }},
	{"Lookup/a canonical key that differs in case, blanks or accents finds nobody", "case folded", func() plugin.Persister { return foldsCase{newMemory()} }},
	{"Lookup/a canonical key that differs in case, blanks or accents finds nobody", "wildcards", func() plugin.Persister { return readsUnderWildcards{newMemory()} }},
	{"Lookup/an unknown key is ErrNotFound", "an empty account", func() plugin.Persister { return findsNobodyHappily{newMemory()} }},
	{"Lookup/a key that breaks a rule of the contract is ErrInvalid", "no validation", func() plugin.Persister { return looksUpAnything{newMemory()} }},
	{"Get/an unknown id is ErrNotFound, and one that is none is ErrInvalid", "no validation", func() plugin.Persister { return getsAnything{newMemory()} }},

	{"Delete/removes exactly this account", "a neighbour as well", func() plugin.Persister { return deletesNeighbours{newMemory()} }},
	{"Delete/twice, and of an account that never was, succeeds", "fails where nothing is", func() plugin.Persister { return deletesOnce{newMemory()} }},
	{"Delete/the keys of the account are free, and its id is never used again", "keys kept", func() plugin.Persister { return keepsKeysOfDeleted{newMemory()} }},
	{"Delete/the keys of the account are free, and its id is never used again", "ids reused", func() plugin.Persister { return reusesIDs{newMemory()} }},

	{"Authenticate/the password opens the account by every login key", "no aliases", func() plugin.Persister { return logsInByUsername{newMemory()} }},
	{"Authenticate/a key that is merely unique does not log in", "every key logs in", func() plugin.Persister { return logsInByUniqueValues{newMemory()} }},
	{"Authenticate/a wrong password is ErrDenied", "cut at 72", func() plugin.Persister { return judges{newMemory(), opensAfter72} }},
	{"Authenticate/an empty password is ErrDenied", "anonymous bind", func() plugin.Persister { return judges{newMemory(), opensWithEmpty} }},
	{"Authenticate/an account without a password denies everything", "open without one", func() plugin.Persister { return judges{newMemory(), opensWithoutPassword} }},
	{"Authenticate/a locked account denies its own password", "state forgotten", func() plugin.Persister { return letsLockedIn{newMemory()} }},
	{"Authenticate/passwords of every look open their account, byte for byte", "trimmed", func() plugin.Persister { return judges{newMemory(), opensTrimmed} }},
	{"Authenticate/a password that breaks a rule of the contract is ErrDenied", "another error", func() plugin.Persister { return refusesBadPasswordsLoudly{newMemory()} }},
	{"Authenticate/every refusal looks like every other", "other words", func() plugin.Persister { return tellsWhoExists{newMemory()} }},
	{"Authenticate/every refusal costs as much as every other", "unknown names are quick", func() plugin.Persister { return hashesOnlyForAccounts{newMemory()} }},

	{"SetPassword/the new password opens and the old one stopped working", "old ones kept", func() plugin.Persister { return keepsOldPasswords{newMemory(), map[plugin.ID]plugin.Secret{}} }},
	{"SetPassword/gives a password to an account without one", "only replaces", func() plugin.Persister { return setsPasswords{newMemory(), onlyReplaces} }},
	{"SetPassword/does not unlock", "unlocks", func() plugin.Persister { return setsPasswords{newMemory(), unlocks} }},
	{"SetPassword/an attempt repeated later does not bring the old password back", "last password wins", func() plugin.Persister { return lastPasswordWins{newMemory()} }},
	{"SetPassword/an absent account is ErrNotFound", "success", func() plugin.Persister { return setsPasswords{newMemory(), ignoresAbsent} }},
	{"SetPassword/an empty or broken password is ErrInvalid and the old one stays", "takes the empty one", func() plugin.Persister { return setsPasswords{newMemory(), takesEmpty} }},
	{"SetPassword/the status tells when", "another time", func() plugin.Persister { return setsPasswords{newMemory(), setsTheClockBack} }},

	{"Update/an absent account is ErrNotFound", "success", func() plugin.Persister { return updates{newMemory(), changesNobody} }},
	{"Update/two changes in one, and none, are ErrInvalid", "one of them", func() plugin.Persister { return updates{newMemory(), appliesTheFirst} }},
	{"Update/a change that breaks a rule of the contract is ErrInvalid and changes nothing", "no validation", func() plugin.Persister { return updates{newMemory(), takesEmptyTexts} }},
	{"Update/attributes are replaced, added and removed, and no other is touched", "the rest is lost", func() plugin.Persister { return updates{newMemory(), forgetsTheRest} }},
	{"Update/the old values are compared as a set", "as a list", func() plugin.Persister { return updates{newMemory(), wantsTheOrder} }},
	{"Update/another value than the one to be replaced is ErrConflict and changes nothing", "overwrites", func() plugin.Persister { return updates{newMemory(), overwrites} }},
	{"Update/attributes change together or not at all", "one by one", func() plugin.Persister { return updates{newMemory(), oneByOne} }},
	{"Update/of many who replace one value at the same moment one does", "lost update", func() plugin.Persister { return updates{newMemory(), comparesThenWrites} }},
	{"Update/an attribute that holds the value of a key is ErrInvalid", "like any attribute", func() plugin.Persister { return updates{newMemory(), changesValuesOfKeys} }},
	{"Update/values keep their types", "everything is a text", func() plugin.Persister { return updates{newMemory(), writesTypesAsTexts} }},
	{"Update/locks and unlocks", "shown only", func() plugin.Persister { return updates{newMemory(), locksSoftly} }},
	{"Update/another state than the one to be replaced is ErrConflict", "overwrites", func() plugin.Persister { return updates{newMemory(), overwrites} }},
	{"Update/adds to groups and removes from others, and what is so already stays so", "members refused", func() plugin.Persister { return updates{newMemory(), refusesMembers} }},

	{"Update/a key is added, and the account is found by it and shows it", "not shown", func() plugin.Persister { return updates{newMemory(), addsMutely} }},
	{"Update/a key is dropped, and nobody is found by it", "still found", func() plugin.Persister { return updates{newMemory(), dropsSoftly} }},
	{"Update/one key is exchanged for another in one change", "only added", func() plugin.Persister { return updates{newMemory(), identifiers(onlyAdds)} }},
	{"Update/a key that another account holds is ErrExists and nothing changes", "stolen", func() plugin.Persister { return updates{newMemory(), identifiers(stealsKeys)} }},
	{"Update/to drop a key that the account does not hold is ErrConflict and nothing changes", "success", func() plugin.Persister { return updates{newMemory(), identifiers(dropsAnything)} }},
	{"Update/the same attempt again succeeds and changes nothing more", "not idempotent", func() plugin.Persister { return updates{newMemory(), identifiers(forgetsTheChange)} }},
	{"Update/a change of identifiers after its NotAfter is ErrUnavailable and changes nothing", "NotAfter ignored", func() plugin.Persister { return updates{newMemory(), identifiers(changesLate)} }},
	{"Update/of many accounts that want one key at the same moment one gets it", "looks, then adds", func() plugin.Persister { return updates{newMemory(), looksThenAdds} }},
	{"Create/an attempt repeated after its account changed returns the account", "not idempotent", func() plugin.Persister { return forgetsAttempts{newMemory()} }},
	{"Update/a dropped key is held back from others, and its account may take it again", "hold ignored", func() plugin.Persister { return updates{newMemory(), identifiers(holdsNothing)} }},
	{"Update/a dropped key is held back from others, and its account may take it again", "held from its own account", func() plugin.Persister { return updates{newMemory(), identifiers(holdsFromItsOwner)} }},
	{"Update/a dropped key is free when its time is over", "hold ignored", func() plugin.Persister { return updates{newMemory(), identifiers(holdsNothing)} }},
	{"Update/a dropped key is free when its time is over", "held for ever", func() plugin.Persister { return updates{newMemory(), identifiers(holdsForEver)} }},

	{"List/every account once while others come and go", "by offset", func() plugin.Persister { return pages{newMemory(), byOffset} }},
	{"List/every account once while others come and go", "twice", func() plugin.Persister { return pages{newMemory(), overlaps} }},
	{"List/every account once while others come and go", "some never", func() plugin.Persister { return pages{newMemory(), skips} }},
	{"List/shows accounts as Get does", "names only", func() plugin.Persister { return pages{newMemory(), listsNamesOnly} }},
	{"List/a page has at most as many accounts as asked for", "limit ignored", func() plugin.Persister { return pages{newMemory(), ignoresTheLimit} }},
	{"List/a token that the store did not make is ErrInvalid", "any token", func() plugin.Persister { return pages{newMemory(), takesAnyToken} }},

	{"Statuses/an account is usable when it exists, is active and has a password", "all usable", func() plugin.Persister { return reports{newMemory(), allUsable} }},
	{"Statuses/as many as the contract allows, each once", "a hundred", func() plugin.Persister { return reports{newMemory(), atMostHundred} }},
	{"Maintain/touches nothing that is finished, and comes to an end", "sweeps accounts", func() plugin.Persister { return sweeps{newMemory()} }},
	{"Maintain/touches nothing that is finished, and comes to an end", "never done", func() plugin.Persister { return neverDone{newMemory()} }},
	{"CheckSchema/finds nothing wrong with what the rules store", "knows no attribute", func() plugin.Persister { return likesNothing{newMemory()} }},
	{"CheckSchema/what does not fit is found, all of it, and comes with a fix", "finds nothing", func() plugin.Persister { return likesEverything{newMemory()} }},

	{"any/a context that has ended returns promptly with an error", "deaf", func() plugin.Persister { return isDeaf{newMemory()} }},
	{"any/a context that has ended returns promptly with an error", "slow", func() plugin.Persister { return isSlow{newMemory()} }},
	{"any/no error text holds a password or a value", "talks", func() plugin.Persister { return talks{newMemory()} }},
	{"any/what goes in and what comes out belongs to the caller", "shares its maps", func() plugin.Persister { return sharesItsMaps{newMemory()} }},
	{"any/many calls at the same time do not get in each other's way", "mixes accounts up", func() plugin.Persister { return mixesUp{newMemory()} }},
}

func TestABrokenStoreIsCaught(t *testing.T) {
	for _, b := range broken {
		t.Run(b.rule+"/"+b.fault, func(t *testing.T) {
			t.Parallel()
			store, err := plugin.Of(t.Context(), b.store())
			if err != nil {
				t.Fatal(err)
			}
			report := plugintest.Check(t.Context(), store, plugintest.Only(b.rule), plugintest.Direct(), plugintest.Patience(10*time.Second))
			if len(report.Results) != 1 {
				t.Fatalf("%d rules have this name", len(report.Results))
			}
			got := report.Results[0]
			if got.Outcome != plugintest.Failed || report.Passed() {
				t.Fatalf("the store passes: %+v", got)
			}
			if all := strings.Join(got.Reasons, "\n"); !strings.Contains(all, "the rule: ") || strings.Contains(all, "panic") {
				t.Errorf("the reasons do not explain the rule: %s", all)
			} else {
				t.Log(all)
			}
		})
	}
}

func TestEveryRuleCanFail(t *testing.T) {
	for _, rule := range plugintest.Rules() {
		caught := false
		for _, b := range broken {
			caught = caught || b.rule == rule
		}
		if !caught {
			t.Errorf("no broken store shows that the rule %q catches anything", rule)
		}
	}
	names := plugintest.Rules()
	slices.Sort(names)
	if len(slices.Compact(names)) != len(plugintest.Rules()) {
		t.Error("two rules have the same name")
	}
}
