/* take.pml: Create 1: taking a claim from whatever it says, aborting only on the primary. */

/* seen = P, read at k. own: this process has a run; give: set if it must stop */
inline resolve(k,own) {
	if :: PRIMARY(seen)==k -> prim=seen :: else -> op_read(PRIMARY(seen), prim) fi;
	if
	:: prim==ABSENT -> op_add(PRIMARY(seen), F_(RUN(seen)))
	:: STATE(prim)==STATE_C && RUN(prim)==RUN(seen) -> todo=prim; at=PRIMARY(seen)
	:: STATE(prim)==STATE_A && RUN(prim)==RUN(seen) -> op_cas(k, seen, A_(RUN(seen),ID(prim)))
	:: STATE(prim)==STATE_P && RUN(prim)==RUN(seen) ->
		if
#ifdef BUG_TAKE_SECOND
		:: PRIMARY(seen)!=k -> op_cas(k, seen, F_(RUN(seen)))
#endif
		:: (!own || ATTEMPT(me)!=ATTEMPT(RUN(seen))) && !stopped -> give=UNAVAILABLE    /* not expired; waited */
		:: true ->                                      /* expired, or our own attempt */
			i=1;
			if :: own && k!=primary[me] -> op_read(primary[me], now); i=(now==P_(me,primary[me]) -> 1 : 0); now=0 :: else fi;
			if
			:: i==1 -> now=BACK(RUN(seen)); op_cas(PRIMARY(seen), prim, now); now=0;
				if :: ok && !CHANGES(RUN(seen)) -> op_unstage(RUN(seen),me) :: else fi
			:: else -> give=UNAVAILABLE
			fi; i=0
		fi
	:: else -> op_cas(k, seen, F_(RUN(seen)))       /* dead for ever */
	fi; prim=0; ok=false
}

/* ChangeAlias 2: seen = M, read at the anchor u */
inline resolve_lock(u,own) {
	op_read(PRIMARY(seen), prim);
	if
	:: prim==ABSENT -> op_add(PRIMARY(seen), F_(CHANGE(seen)))
	:: (STATE(prim)==STATE_C || STATE(prim)==STATE_X) && RUN(prim)==CHANGE(seen) -> todo=prim; at=PRIMARY(seen)
	:: STATE(prim)==STATE_P && RUN(prim)==CHANGE(seen) ->
		if
		:: !stopped -> give=UNAVAILABLE
		:: true ->
			i=1;
			if :: own -> op_read(primary[me], now); i=(now==P_(me,primary[me]) -> 1 : 0); now=0 :: else fi;
			if :: i==1 -> now=BACK(CHANGE(seen)); op_cas(PRIMARY(seen), prim, now); now=0 :: else -> give=UNAVAILABLE fi; i=0
		fi
	:: else -> op_cas(u, seen, A_(RUN(seen),ID(seen)))
	fi; prim=0; ok=false
}

/* one claim. give: 0 taken, else the answer; joined: the account of our attempt. account: whose alias changes, or 0 */
inline take(k,account) {
	give=0; op_add(k, P_(me,own1));
	do
	:: ok || give!=0 -> break
	:: else -> take_look(k,account);
		if :: todo!=0 -> finish(at,false); give=0; todo=0; at=0; ok=false :: else fi
	od
}
inline take_look(k,account) {
	op_read(k, seen);
	if
	:: STATE(seen)==STATE_F -> op_cas(k, seen, P_(me,own1))
	:: TAKEN(seen) && ATTEMPT_IN(seen,k)==ATTEMPT(me) -> give=OK; joined=ID(seen)
	:: TAKEN(seen) && ATTEMPT_IN(seen,k)!=ATTEMPT(me) -> give=EXISTS
	:: STATE(seen)==STATE_C || STATE(seen)==STATE_X -> todo=seen; at=k
	:: STATE(seen)==STATE_P -> resolve(k,true)
	:: STATE(seen)==STATE_D -> give=EXISTS
	:: STATE(seen)==STATE_R ->
		if
		:: atomic { LIVE && account!=0 && ID(seen)==account ->          /* its own: at any time, with r: */
			if :: claim[k]==seen -> claim[k]=P_(me,own1); back[me]=RUN(seen); ok=true :: else fi }
		:: atomic { LIVE && (account==0 || ID(seen)!=account) && EXPIRED(k) ->
			if :: claim[k]==seen -> claim[k]=P_(me,own1); held_for[k]=0; ok=true :: else fi }
		:: atomic { LIVE && (account==0 || ID(seen)!=account) && !stopped -> give=EXISTS }
		fi
	fi; seen=0
}
inline release() {                      /* the primary first */
	now=BACK(me); op_cas(own1, P_(me,own1), now); now=0;
	if :: own2!=NOKEY -> op_cas(own2, P_(me,own1), F_(me)) :: else fi
}
inline sweep(e) {                       /* a staged entry was seen; its primary decides */
	op_read(primary[e], prim);
	if
	:: prim==ABSENT -> op_add(primary[e], F_(e))
#ifdef BUG_SWEEP_WANTED
	:: STATE(prim)==STATE_C && RUN(prim)==e
#else
	:: (STATE(prim)==STATE_P || STATE(prim)==STATE_C) && RUN(prim)==e
#endif
	:: else -> op_unstage(e,me); result=1
	fi; prim=0
}
inline clear_staged(e) {                /* after 68 or 19: a staged entry of another run with our values. result 1: removed */
	if
	:: e!=me && place[e]==STAGED && CLASH(e,me) ->
#ifdef BUG_DELETE_COLLIDING
		op_unstage(e,me); result=1
#else
		sweep(e)
#endif
	:: else
	fi
}
