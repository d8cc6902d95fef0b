/* create.pml: Create 1 to 5, and Resolve. */
proctype Create(byte own_run; byte own1; byte own2; bool last) {
	LOCALS; byte k; bool mine; me=own_run;
	/* 1 */
	k=own1;
	do
	:: take(k,0);
		if :: give==0 && k==own1 && own2!=NOKEY -> k=own2; ok=false :: else -> break fi
	od;
	if :: give!=0 -> goto giveup :: else fi;
	/* 2 */
	op_search();
	if :: ok -> give=EXISTS; goto giveup :: else fi;
	/* 3 */
	op_stage(me);
#ifdef UNIQUE
	if
	:: !ok -> result=0; clear_staged(1); clear_staged(2); clear_staged(3);
		if :: result==1 -> result=0; op_stage(me) :: else fi
	:: else
	fi;
#endif
	if :: !ok -> give=UNAVAILABLE; goto undo :: else fi;
	op_password(me);
	if
	:: ok
	:: !last -> give=UNAVAILABLE; goto undo         /* refused, or not answered */
#if defined(LATE) && !USES(EXCHANGES|DROPS|DELETES)
	:: place[me]==STAGED && !stopped -> atomic { LIVE -> place[me]=NONE; late_stage=late_stage|BIT(me); give=UNAVAILABLE }; goto undo
#endif
	fi;
	/* 4 */
#if USES(RESOLVES)
	atomic { LIVE -> ok=!late[me] };
	if :: !ok -> give=UNAVAILABLE; goto undo :: else fi;
#endif
	op_commit(me);
	if
	:: result==0 -> ok=true
	:: result==16 -> op_read(own1, seen); ok=((STATE(seen)==STATE_C || TAKEN(seen)) && RUN(seen)==me);
		if
		:: !ok ->
			if
			:: (STATE(seen)==STATE_C || TAKEN(seen)) && ATTEMPT_IN(seen,own1)==ATTEMPT(me) -> give=OK; joined=ID(seen)
			:: STATE(seen)==STATE_P && RUN(seen)!=me && ATTEMPT(RUN(seen))==ATTEMPT(me) -> give=UNKNOWN
			:: (STATE(seen)==STATE_C || TAKEN(seen)) && ATTEMPT_IN(seen,own1)!=ATTEMPT(me) -> give=EXISTS
			:: else -> give=UNAVAILABLE
			fi; op_unstage(me,me); release();
			if :: STATE(seen)==STATE_C && give==OK -> todo=seen; seen=0; goto finish_it :: else -> seen=0; goto reply fi
		:: else
		fi; seen=0
	:: result==99 ->
#ifdef BUG_CLEAN_UNANSWERED
		give=UNAVAILABLE; goto undo;
#endif
		op_read(own1, seen); ok=((STATE(seen)==STATE_C || TAKEN(seen)) && RUN(seen)==me); seen=0;
		if :: !ok -> give=UNKNOWN; goto reply :: else fi
	fi;
	/* 5 */
	todo=C_(me,me); mine=true; result=0;
finish_it:
	finish_create(own1,mine); todo=0;
	if :: mine -> goto done :: else -> give=OK; goto reply fi;
undo:	op_unstage(me,me);
giveup:	release();
	if
	:: give==EXISTS && (me==6 || me==7) -> op_read(username[me], seen);     /* retry: the own username's claim first */
		if :: TAKEN(seen) && ATTEMPT_IN(seen,username[me])==ATTEMPT(me) -> give=OK; joined=ID(seen) :: else fi; seen=0
	:: else
	fi;
reply:	atomic { LIVE -> answer[me]=give;
		if :: give==OK -> assert(place[joined]==PEOPLE || IN(deletion_asked,joined)); acknowledged=acknowledged|BIT(joined); skip :: else fi };
done:	CLEAR; k=0; mine=false
}

#if USES(RESOLVES)
/* Resolve(attempt 1), after the NotAfter of every execution so far. No P of its own, so nothing to look at before an abort. */
proctype Resolve(byte own1; byte own2) {
	bool last; LOCALS; byte k;
	atomic { LIVE -> late[1]=true; late[3]=true };
	k=own1;
	do
	:: op_read(k, seen);
		if
		:: STATE(seen)==STATE_C && ATTEMPT_IN(seen,k)==1 -> todo=seen; at=k; joined=ID(seen)
		:: TAKEN(seen) && ATTEMPT_IN(seen,k)==1 -> joined=ID(seen)
		:: STATE(seen)==STATE_P && ATTEMPT(RUN(seen))==1 ->
#ifdef BUG_RESOLVE_LOOKS
			i=1
#else
			if :: PRIMARY(seen)==k -> prim=seen :: else -> op_read(PRIMARY(seen), prim) fi;
			if
			:: prim==ABSENT -> op_add(PRIMARY(seen), F_(RUN(seen)))
			:: STATE(prim)==STATE_C && RUN(prim)==RUN(seen) -> todo=prim; at=PRIMARY(seen); joined=ID(prim)
			:: STATE(prim)==STATE_A && RUN(prim)==RUN(seen) -> joined=ID(prim)
			:: STATE(prim)==STATE_P && RUN(prim)==RUN(seen) -> op_cas(PRIMARY(seen), prim, F_(RUN(seen)));
				if :: ok -> op_unstage(RUN(seen),15) :: else fi
			:: else -> op_cas(k, seen, F_(RUN(seen)))
			fi; prim=0; ok=false
#endif
		:: else -> i=1                          /* nothing of the attempt here */
		fi; seen=0;
		if :: todo!=0 -> finish(at,false); todo=0; at=0 :: else fi;
		if
		:: joined!=0 -> break
		:: joined==0 && i==1 && k==own1 -> k=own2; i=0
		:: joined==0 && i==1 && k!=own1 -> break
		:: else
		fi
	od;
	atomic { LIVE ->
		if
		:: joined!=0 -> assert(IN(committed,joined) && place[joined]!=STAGED); acknowledged=acknowledged|BIT(joined)
		:: else -> assert(!IN(committed,1) && !IN(committed,3)); resolved=true
		fi };
	CLEAR; k=0
}
#endif
