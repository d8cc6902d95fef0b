/* drop.pml: an alias of account e goes and none comes. The commit is the CAS of the anchor. 1 to 3. */
#if USES(DROPS)
proctype Drop(byte own_run; byte e; byte old) {
	byte own1=NOKEY, own2=NOKEY; bool last; LOCALS; int anchor, old_seen; me=own_run;
	(LIVES(e,old));
#if SCENARIO==DROP_RETRIED
	if :: me==5 -> atomic { LIVE -> late[4]=true } :: else fi;
#endif
	do
	:: /* 1 */
		op_read(username[e], seen);
		if
		:: STATE(seen)==STATE_A && ID(seen)==e -> anchor=seen; seen=0;
			/* 2 */
			op_entry(e); op_read(old, seen);
#ifdef BUG_DROP_ENTRY_FIRST
			op_read(username[e], anchor);
#endif
			if
			:: STATE(seen)==STATE_R && ID(seen)==e && ATTEMPT(RUN(seen))==ATTEMPT(me) -> give=OK
			:: (STATE(seen)==STATE_C || STATE(seen)==STATE_X) && ID(seen)==e -> todo=seen; at=old
			:: STATE(seen)==STATE_P -> resolve(old,false)
			:: STATE(seen)==STATE_A && ID(seen)==e && e_place==PEOPLE && IN(e_values,old) -> old_seen=seen;
				/* 3 */
#ifdef BUG_DROP_LATE
				ok=true;
#else
				atomic { LIVE -> ok=!late[me] };
#endif
				if
				:: !ok -> give=UNAVAILABLE
				:: ok -> ok=false; op_lock(e,old);
					if
					:: result==0 && todo!=0 -> first=true;
#ifdef BUG_DROP_CLAIM_FIRST
						op_cas(old, old_seen, R_(me,e));
#endif
						goto finish_it
					:: result==99 -> result=0; op_read(username[e], seen);  /* no answer */
						if
						:: (STATE(seen)==STATE_L || STATE(seen)==STATE_K) && CHANGE(seen)==me -> todo=seen; old_seen=0; goto finish_it
						:: else -> give=(RUN(seen)==me && (TAKEN(seen) || STATE(seen)==STATE_D) -> OK : UNKNOWN)
						fi
					:: else         /* lost: from the start */
					fi
				fi
			:: else -> give=(e_place==PEOPLE -> CONFLICT : NOTFOUND);
#ifndef BUG_DROP_HASTY
				op_read(username[e], seen); if :: seen!=anchor -> give=0 :: else fi     /* overtaken, perhaps by our own attempt */
#endif
			fi; anchor=0; old_seen=0; e_place=0; e_values=0; e_mark=0
		:: STATE(seen)==STATE_M && ID(seen)==e -> resolve_lock(username[e],false)
		:: (STATE(seen)==STATE_C || STATE(seen)==STATE_L || STATE(seen)==STATE_K) && ID(seen)==e -> todo=seen; at=username[e]
		:: STATE(seen)==STATE_P -> resolve(username[e],false)
		:: else -> give=NOTFOUND
		fi; seen=0; result=0;
		if :: todo!=0 -> finish(at,false); give=0; todo=0; at=0 :: else fi;
		if :: give!=0 -> goto reply :: else fi
	od;
finish_it:
	seen=0; anchor=0; result=0; finish_drop(old_seen);
reply:	ANSWERED;
	CLEAR; anchor=0; old_seen=0
}
#endif
