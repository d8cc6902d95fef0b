package model

// Short is the set that the tests run: of every kind of change one search that is exhaustive, and of every kind of rule
// one that is broken. The smallest that do it, because others wait for the processors.
func Short() []Search {
	return []Search{
		of("creation, its owner dead, two finishers, a stranger", "COMMITTED_LEFT", ""),
		of("creation and Resolve", "RESOLVE_ALONE", ""),
		of("deletion, a late finisher of the creation, the username is wanted", "DELETE_LATE_FINISHER", ""),
		of("exchange, the old value added again, late finisher", "ADD_AND_EXCHANGE", ""),
		of("addition and drop of it", "ADD_DROP", "FINISHERS=0"),
		of("drop before the creation is closed", "DROP_AFTER_CREATE", ""),
		of("drop, added again, late finisher", "DROP_AND_ADD", ""),
		of("drop and deletion at once", "DROP_AND_DELETE", "FINISHERS=0"),
		of("drop refused, late finisher", "DROP_REFUSED", "REFUSE=1 FINISHERS=1"),
		of("drop executed again by its attempt", "DROP_RETRIED", "FINISHERS=0"),

		of("broken: Resolve looks and aborts nothing", "RESOLVE_ALONE", "BUG_RESOLVE_LOOKS"),
		of("broken: a change abandoned by another is reported as refused", "EXCHANGE_REFUSED", "REFUSE=1 BUG_GONE_IS_REFUSED"),
		of("broken: a deletion commits while a claim is not at rest", "EXCHANGE_AND_DELETE", "FINISHERS=0 BUG_DELETE_UNREADY"),
		of("broken: an old claim is let go while only the new one was looked at", "ADD_AND_EXCHANGE", "BUG_STILL_COMMITTED"),
		of("broken: a drop that did not look at the anchor after the entry", "DROP_AND_ADD", "BUG_DROP_NO_SECOND_LOOK"),
		of("broken: a drop given up without touching the entry", "DROP_REFUSED", "REFUSE=1 FINISHERS=1 BUG_DROP_NO_TOUCH"),
		of("broken: a drop given up leaves the anchor as it was", "DROP_RETRIED", "REFUSE=1 FINISHERS=0 BUG_UNDO_OLD_RUN"),
	}
}
