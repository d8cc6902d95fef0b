package model

import "slices"

// Long is everything that is searched, the short set among it. The largest searches need up to five gigabytes and five
// minutes each.
func Long() []Search {
	return slices.Concat(Short(), brokenDrop(), brokenChange(), brokenCreation(),
		longDrop(), longAddition(), longChange(), longDeletion(), longCreation())
}

func longCreation() []Search {
	return []Search{
		of("creation: two people, the same two identifiers, janitor", "TWO_PEOPLE", ""),
		of("creation: two people, what is not answered may happen later", "TWO_PEOPLE", "LATE"),
		of("creation: crossed pairs, janitor", "CROSSED_PAIRS", ""),
		of("creation: the second of each is shared, janitor", "SECOND_SHARED", ""),
		of("creation: one attempt twice at once, janitor", "ATTEMPT_TWICE", ""),
		of("creation: one attempt twice at once, unique among staged entries", "ATTEMPT_TWICE", "SERVER=2 UNIQUE"),
		of("creation: one attempt twice at once, a stranger", "ATTEMPT_AND_STRANGER", ""),
		of("creation: its owner dead, 389", "COMMITTED_LEFT", "SERVER=3"),
		of("creation and Resolve, what is not answered may happen later", "RESOLVE_ALONE", "LATE"),
		of("creation and Resolve, a stranger", "RESOLVE", ""),
		of("creation: one attempt twice at once and Resolve", "RESOLVE_TWICE", ""),
	}
}

func longChange() []Search {
	return []Search{
		of("exchange: there and back, late finisher", "THERE_AND_BACK", ""),
		of("exchange: there and back, late writes", "THERE_AND_BACK", "LATE"),
		of("exchange: there and back, the old value is wanted", "THERE_AND_BACK_WANTED", "HOLD_FOR_EVER"),
		of("exchange: two of one alias, late finisher", "TWO_EXCHANGES", ""),
		of("exchange: two of one alias, late writes", "TWO_EXCHANGES", "LATE"),
		of("exchange: two of one alias, and one back", "TWO_AND_BACK", ""),
		of("exchange: two of one alias, janitor", "EXCHANGE_JANITOR", ""),
		of("exchange and deletion", "EXCHANGE_AND_DELETE", ""),
		of("exchange and deletion, late writes", "EXCHANGE_AND_DELETE", "LATE"),
		of("exchange and deletion, late writes, AD", "EXCHANGE_AND_DELETE", "SERVER=2 LATE"),
		of("exchange refused, two finishers", "EXCHANGE_REFUSED", "REFUSE=1"),
		of("exchange refused, late writes", "EXCHANGE_REFUSED", "REFUSE=1 LATE"),
		of("exchange executed again by its attempt, late finisher", "EXCHANGE_RETRIED", ""),
		of("exchange executed again by its attempt, refused", "EXCHANGE_RETRIED", "REFUSE=1 FINISHERS=0"),
		of("exchange, the entry deleted by hand", "EXCHANGE_BY_HAND", ""),
		of("exchange refused for ever, then another value", "EXCHANGE_REFUSED_AGAIN", "REFUSES_FOR_EVER"),
	}
}

func longAddition() []Search {
	return []Search{
		of("addition and deletion", "ADD_AND_DELETE", ""),
		of("addition and deletion, late writes, AD", "ADD_AND_DELETE", "SERVER=2 LATE"),
		of("addition refused, two finishers", "ADD_REFUSED", "REFUSE=1"),
		of("addition refused, late writes", "ADD_REFUSED", "REFUSE=1 LATE"),
		of("addition, the value is wanted", "ADD_WANTED", ""),
		of("addition: two values at once", "TWO_ADDS", ""),
		of("addition, drop, late finisher", "ADD_DROP", ""),
		of("addition, drop, late writes", "ADD_DROP", "LATE"),
		of("addition, drop, addition", "ADD_DROP_ADD", ""),
		of("addition of what an exchange let go, late writes", "ADD_AND_EXCHANGE", "LATE"),
		of("addition executed again by its attempt, late finisher", "ADD_RETRIED", ""),
		of("addition executed again by its attempt, refused", "ADD_RETRIED", "REFUSE=1 FINISHERS=0"),
		of("addition, the entry deleted by hand", "ADD_BY_HAND", ""),
		of("addition before the creation is closed", "ADD_AFTER_CREATE", ""),
		of("addition before the creation is closed, the username is not the primary", "ADD_AFTER_CREATE", "USERNAME=KB"),
	}
}

func longDrop() []Search {
	return []Search{
		of("drop, added again, late writes", "DROP_AND_ADD", "LATE"),
		of("drop, added again, one of them refused", "DROP_AND_ADD", "REFUSE=1"),
		of("drop, added again, janitor", "DROP_JANITOR", ""),
		of("drop, added again, the value is wanted", "DROP_ADD_WANTED", "HOLD_FOR_EVER"),
		of("drop, the value is wanted, no hold, late writes", "DROP_WANTED", "NO_HOLD LATE"),
		of("drop and deletion, late finisher", "DROP_AND_DELETE", ""),
		of("drop and deletion, late writes", "DROP_AND_DELETE", "LATE"),
		of("drop and deletion, refused", "DROP_AND_DELETE", "REFUSE=1"),
		of("drop and deletion, janitor", "DROP_DELETE_JANITOR", ""),
		of("drop, exchange of the same alias and deletion", "DROP_EXCHANGE_DELETE", ""),
		of("drop, addition and deletion", "ADD_DROP_DELETE", ""),
		of("drop and deletion, late writes, AD", "DROP_AND_DELETE", "SERVER=2 LATE"),
		of("drop and deletion, 389", "DROP_AND_DELETE", "SERVER=3"),
		of("drop and exchange of one alias", "DROP_AND_EXCHANGE", ""),
		of("drop and exchange of one alias, late writes", "DROP_AND_EXCHANGE", "LATE"),
		of("drop and exchange of one alias, refused", "DROP_AND_EXCHANGE", "REFUSE=1"),
		of("drop of one alias, exchange of another", "DROP_OTHER", ""),
		of("drop: two of one alias", "TWO_DROPS", ""),
		of("drop: two of one alias, late writes", "TWO_DROPS", "LATE"),
		of("drop refused, two finishers", "DROP_REFUSED", "REFUSE=1"),
		of("drop refused twice", "DROP_REFUSED", "REFUSE=2"),
		of("drop refused, late writes", "DROP_REFUSED", "REFUSE=1 LATE"),
		of("drop executed again, late finisher", "DROP_RETRIED", ""),
		of("drop executed again, refused", "DROP_RETRIED", "REFUSE=1"),
		of("drop executed again, late writes", "DROP_RETRIED", "LATE"),
		of("drop and deletion, the username is wanted, 389", "DROP_DELETE_WANTED", "SERVER=3"),
		of("drop and deletion, the username is wanted, no hold, 389", "DROP_DELETE_WANTED", "SERVER=3 NO_HOLD"),
		of("drop, the entry deleted by hand", "DROP_BY_HAND", ""),
		of("drop before the creation is closed, the username is not the primary", "DROP_AFTER_CREATE", "USERNAME=KB"),
	}
}

func longDeletion() []Search {
	return []Search{
		of("deletion, late finisher of the creation, late moves", "DELETE_LATE_FINISHER", "LATE"),
		of("deletion, late finisher of the creation, late moves, 389", "DELETE_LATE_FINISHER", "SERVER=3 LATE"),
		of("deletion, late finisher, the username is not the primary, 389", "DELETE_LATE_FINISHER", "SERVER=3 USERNAME=KB"),
		of("deletion of a creation not closed, janitor", "DELETE_JANITOR", ""),
		of("deletion twice at once, the names are wanted, 389", "DELETE_TWICE", "SERVER=3"),
		of("deletion twice at once, the names are wanted, no hold, 389", "DELETE_TWICE", "SERVER=3 NO_HOLD"),
		of("deletion twice at once, janitor", "DELETE_TWICE_JANITOR", ""),
	}
}
