/* change.pml: the exchange of one alias of account e for another, and with old=NOKEY the addition of one. 1 to 4. */
#if USES(EXCHANGES)
#define GO todo==0 && give==0
proctype Change(byte own_run; byte e; byte old; byte own1) {
	byte own2=NOKEY; bool last; LOCALS; int anchor, old_seen; byte step; me=own_run;
#ifdef SAME_ATTEMPT
	if :: me==5 -> atomic { LIVE -> late[4]=true } :: else fi;
#else
	(place[e]==PEOPLE && (old==NOKEY || CARRIES(e,old)) && !CARRIES(e,own1));
#endif
	step=1; op_add(own1, P_(me,own1));
	do
	:: GO && step==1 && ok -> ok=false; step=2
	:: GO && step==1 && !ok -> take_look(own1,e)
	:: GO && step==2 -> op_read(username[e], seen);
		if
		:: STATE(seen)==STATE_A && ID(seen)==e ->
#ifdef BUG_NO_LOCK
			step=3
#else
			op_cas(username[e], seen, M_(RUN(seen),e,own1,me)); if :: ok -> anchor=seen; ok=false; step=3 :: else fi
#endif
		:: STATE(seen)==STATE_M && ID(seen)==e -> resolve_lock(username[e],true)
		:: (STATE(seen)==STATE_C || STATE(seen)==STATE_L || STATE(seen)==STATE_K) && ID(seen)==e -> todo=seen; at=username[e]
		:: STATE(seen)==STATE_P -> resolve(username[e],true)
		:: else -> give=NOTFOUND
		fi; seen=0
	:: GO && step==3 -> first=true; step=4;
		atomic { LIVE -> e_place=place[e]; e_values=values[e]; e_mark=mark[e];
			ok=(LIVES(1,own1)&&e!=1 || LIVES(2,own1) || LIVES(3,own1) || LIVES(8,own1)) };
		if
		:: ok -> give=EXISTS
		:: !ok && e_place!=PEOPLE -> give=NOTFOUND
		:: !ok && e_place==PEOPLE && old!=NOKEY && !IN(e_values,old) -> give=CONFLICT
		:: else
		fi; ok=false
	:: GO && step==4 && old==NOKEY -> break
	:: GO && step==4 && old!=NOKEY -> op_read(old, seen);         /* 3, the old claim */
		if
		:: STATE(seen)==STATE_A && ID(seen)==e -> old_seen=seen; seen=0; break
		:: (STATE(seen)==STATE_C || STATE(seen)==STATE_X) && ID(seen)==e -> todo=seen; at=old; first=false      /* then the entry is read again */
		:: STATE(seen)==STATE_P -> resolve(old,true); first=false
		:: else -> give=CONFLICT
		fi; seen=0
	:: todo!=0 -> finish(at,false); give=0; todo=0; at=0; ok=false
	:: give!=0 -> goto giveup
	od;
	/* 4 */
#if defined(SAME_ATTEMPT) && !defined(BUG_CHANGE_LATE)
	atomic { LIVE -> ok=!late[me] };
	if :: !ok -> give=UNAVAILABLE; goto giveup :: else fi;
#endif
#ifdef LATE
	if
	:: skip
	:: claim[own1]==P_(me,own1) -> atomic { LIVE -> late_commit=late_commit|BIT(me) }; give=UNKNOWN; goto reply
	fi;
#endif
	op_cas(own1, P_(me,own1), C_(me,e));
	if
	:: !ok -> give=UNAVAILABLE; goto giveup
	:: ok
	:: ok -> op_read(own1, seen); ok=(seen==C_(me,e) || seen==A_(me,e)); seen=0;   /* no answer */
		if :: !ok -> give=UNKNOWN; goto reply :: else fi
	fi;
	/* 5 */
	todo=C_(me,e); finish_change(old_seen); todo=0;
	goto reply;
giveup:	release();
	if :: anchor!=0 -> op_cas(username[e], M_(RUN(anchor),e,own1,me), anchor) :: else fi;
reply:	ANSWERED;
	CLEAR; anchor=0; old_seen=0; step=0
}
#endif
