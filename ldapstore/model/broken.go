package model

func brokenCreation() []Search {
	return []Search{
		of("broken: an expired second claim is taken without an abort on its primary", "CROSSED_PAIRS", "BUG_TAKE_SECOND"),
		of("broken: what collides is deleted without a look at its primary", "ATTEMPT_TWICE", "SERVER=2 UNIQUE BUG_DELETE_COLLIDING"),
		of("broken: an unanswered commit is cleaned up", "TWO_PEOPLE", "BUG_CLEAN_UNANSWERED"),
		of("broken: the sweeper spares only what is committed", "TWO_PEOPLE", "BUG_SWEEP_WANTED"),
		of("broken: the primary is closed first", "ADD_AFTER_CREATE", "BUG_PRIMARY_FIRST"),
	}
}

func brokenChange() []Search {
	return []Search{
		of("broken: an exchange without the lock", "TWO_EXCHANGES", "BUG_NO_LOCK"),
		of("broken: exchange and deletion without the lock", "EXCHANGE_AND_DELETE", "BUG_NO_LOCK"),
		of("broken: the anchor keeps its run over an exchange", "EXCHANGE_AND_DELETE", "BUG_OLD_RUN"),
		of("broken: an exchange without its fence", "THERE_AND_BACK", "BUG_NO_FENCE"),
		of("broken: the claim is not read after the entry", "THERE_AND_BACK", "BUG_NO_SECOND_LOOK"),
		of("broken: abandoned without touching the entry", "EXCHANGE_REFUSED", "REFUSE=1 BUG_NO_TOUCH"),
		of("broken: not committed any more is taken for done", "EXCHANGE_REFUSED", "REFUSE=1 BUG_CLOSED_IS_DONE"),
		of("broken: a refused exchange stays committed", "EXCHANGE_REFUSED_AGAIN", "REFUSES_FOR_EVER BUG_REFUSED_STAYS"),
		of("broken: an aborted exchange back forgets the hold", "THERE_AND_BACK_WANTED", "HOLD_FOR_EVER BUG_FORGET_HOLD"),
		of("broken: 389, a move that hit another is not put back", "DELETE_TWICE", "SERVER=3 NO_HOLD BUG_NOT_PUT_BACK"),
		of("broken: an exchange is taken for written only while the old value is gone", "ADD_AND_EXCHANGE", "BUG_WRITTEN_IS_EXACT"),
		of("broken: an addition without its fence", "ADD_DROP", "BUG_NO_FENCE"),
		of("broken: addition and deletion without the lock", "ADD_AND_DELETE", "BUG_NO_LOCK"),
		of("broken: the anchor keeps its run over an addition", "ADD_AND_DELETE", "BUG_OLD_RUN"),
		of("broken: an addition does not read the claim after the entry", "ADD_DROP", "BUG_NO_SECOND_LOOK"),
		of("broken: an addition abandoned without touching the entry", "ADD_REFUSED", "REFUSE=1 BUG_NO_TOUCH"),
		of("broken: an addition not committed any more is taken for done", "ADD_REFUSED", "REFUSE=1 BUG_CLOSED_IS_DONE"),
		of("broken: an addition abandoned by another is reported as refused", "ADD_REFUSED", "REFUSE=1 BUG_GONE_IS_REFUSED"),
		of("broken: an addition commits after its NotAfter", "ADD_RETRIED", "REFUSE=1 FINISHERS=0 BUG_CHANGE_LATE"),
		of("broken: an aborted addition forgets the hold", "DROP_ADD_WANTED", "HOLD_FOR_EVER BUG_FORGET_HOLD"),
	}
}

func brokenDrop() []Search {
	return []Search{
		of("broken: a drop reads the entry before the anchor", "DROP_AND_EXCHANGE", "BUG_DROP_ENTRY_FIRST"),
		of("broken: a drop frees the claim before the entry is written", "DROP_WANTED", "BUG_DROP_CLAIM_FIRST"),
		of("broken: a drop without its fence", "DROP_AND_ADD", "BUG_NO_FENCE"),
		of("broken: a drop frees the anchor before the claim", "DROP_AND_DELETE", "BUG_DROP_ANCHOR_FIRST"),
		of("broken: a closer of a drop does not look at the anchor after the claim", "DROP_AND_ADD", "BUG_DROP_CLOSE_BLIND"),
		of("broken: the anchor keeps its run over a drop", "TWO_DROPS", "BUG_DROP_OLD_RUN"),
		of("broken: a refused drop is undone without being given up first", "DROP_REFUSED", "REFUSE=1 BUG_DROP_NO_GIVING_UP"),
		of("broken: a drop given up leaves its run in the anchor", "DROP_REFUSED", "REFUSE=1 BUG_UNDO_THIS_RUN"),
		of("broken: a drop commits after its NotAfter", "DROP_RETRIED", "REFUSE=1 BUG_DROP_LATE"),
		of("broken: a drop overtaken by its own attempt is a conflict", "DROP_RETRIED", "BUG_DROP_HASTY"),
	}
}
