/* finish.pml: anyone carries on what is committed. todo = the committed value, read at `where`.
 * Afterwards `give` is the answer that the run's own process may give.
 */
#ifdef HOLD_FOR_EVER
#define KEEP(k) if :: ok -> kept=kept|BIT(k) :: else fi
#else
#define KEEP(k) skip
#endif

inline finish(where,own) {
	if
#ifdef USES_DROP
	:: STATE(todo)==STATE_L || STATE(todo)==STATE_K -> finish_drop(0)
#endif
#ifdef USES_CHANGE
	:: CHANGES(RUN(todo)) && (STATE(todo)==STATE_C || STATE(todo)==STATE_X) -> finish_change(0)
#endif
	:: else -> finish_create(where,own)
	fi
}

/* Create 5 */
inline finish_create(where,own) {
	op_enable(RUN(todo));
	op_move(RUN(todo));
	e_mark=PEOPLE;
	if :: result!=0 -> op_look(ID(todo)) :: else fi;
	assert(!(result==68 && e_mark==STAGED));                /* a name made by hand, which nobody here does */
	if
	:: e_mark==PEOPLE || e_mark==TRASH ->   /* there, or on its way out under its id: done */
#ifdef BUG_PRIMARY_FIRST
		op_cas(where, todo, A_(RUN(todo),ID(todo)));
#endif
		if :: own && e_mark==PEOPLE -> atomic { LIVE -> answer[RUN(todo)]=OK; acknowledged=acknowledged|BIT(RUN(todo)) } :: else fi;
		if :: other[RUN(todo)]!=NOKEY -> op_cas(other[RUN(todo)], P_(RUN(todo),where), A_(RUN(todo),ID(todo))) :: else fi;
#ifndef BUG_PRIMARY_FIRST
		op_cas(where, todo, A_(RUN(todo),ID(todo)))
#endif
	:: else                                 /* gone by hand */
	fi; e_mark=0; result=0
}

#define ANCHOR username[ID(todo)]
#define CAME_TRUE(v,r) ((TAKEN(v) || STATE(v)==STATE_D) && RUN(v)==(r))      /* the anchor carries the run */

#ifdef USES_CHANGE
/* Exchange and addition, 5 and 6. todo = C or X, at the primary of its run. own_old: the committer's exact value of the
 * old claim, else 0. joined: what to do once C has become X. */
#define NEW primary[run_]
#define OLD olds[run_]
inline finish_change(own_old) {
	run_=RUN(todo); give=0; joined=0;
	do
	:: give==0 ->
		if
		:: first -> first=false; now=todo       /* the committer: read in step 3, and the commit was the second look */
		:: else -> op_entry(ID(todo));
#ifdef BUG_NO_SECOND_LOOK
			if :: STATE(todo)==STATE_C -> now=todo :: else -> op_read(NEW, now) fi
#else
			op_read(NEW, now)
#endif
		fi;
		if
		:: now!=todo ->                         /* closed or abandoned by another */
#ifdef BUG_CLOSED_IS_DONE
			if :: STATE(todo)==STATE_C -> give=OK :: else fi;
#endif
#ifdef BUG_GONE_IS_REFUSED
			if :: STATE(todo)==STATE_X && give==0 -> give=REFUSED :: else fi;
#endif
			if
			:: give!=0
			:: give==0 && now==A_(run_,ID(todo)) -> give=OK
			:: else -> op_read(ANCHOR, now); give=(CAME_TRUE(now,run_) -> OK : UNKNOWN)
			fi; break
		:: now==todo && (e_place==PEOPLE || e_place==TRASH) && IN(e_values,NEW) -> give=OK      /* it happened */
		:: now==todo && e_place==GONE && STATE(todo)==STATE_C -> give=OK                        /* gone by hand: go on */
		:: now==todo && (e_place==GONE || e_place==NONE) && STATE(todo)==STATE_X -> break
		:: now==todo && STATE(todo)==STATE_C && e_place==PEOPLE && !IN(e_values,NEW) ->
			if :: OLD!=NOKEY && !IN(e_values,OLD) -> result=98 :: else -> op_write(ID(todo),run_) fi;
			if
			:: result==98 -> give=UNKNOWN; break    /* neither value: an alarm */
			:: result==0 -> give=OK
			:: result==50 -> joined=REFUSED
			:: result==99 -> give=UNKNOWN; break
			:: else                                 /* look again */
			fi; result=0
		:: now==todo && STATE(todo)==STATE_X && !IN(e_values,NEW) && (e_place==PEOPLE || e_place==TRASH) ->
#ifdef BUG_NO_TOUCH
			result=0;
#else
			op_touch(ID(todo),run_);
#endif
			if :: result==0 -> break :: else fi; result=0
		fi;
		if
		:: joined!=0 && STATE(todo)==STATE_C ->
#ifdef BUG_REFUSED_STAYS
			give=REFUSED; break;
#endif
			op_cas(NEW, todo, X_(run_,ID(todo)));
			if :: ok -> todo=X_(run_,ID(todo)) :: else -> joined=0 fi       /* lost: look again */
		:: else
		fi
	:: else -> break
	od; e_values=0; e_mark=0; e_place=0; result=0;
	if
	:: now==todo && give==OK ->             /* close */
		if :: me==run_ -> atomic { LIVE -> answer[me]=OK; assert(IN(written,me)) } :: else fi;
		if
		:: OLD==NOKEY
		:: OLD!=NOKEY && own_old!=0 -> op_cas(OLD, own_old, R_(run_,ID(todo))); KEEP(OLD)
		:: OLD!=NOKEY && own_old==0 -> op_read(OLD, now);
			if
			:: STATE(now)==STATE_A && ID(now)==ID(todo) -> prim=now;
#ifdef BUG_STILL_COMMITTED
				op_read(NEW, now);      /* it says C for a while after the anchor is free */
				if :: now==todo -> op_cas(OLD, prim, R_(run_,ID(todo))); KEEP(OLD) :: else fi;
#else
				op_read(ANCHOR, now);   /* still locked by this run: so the old claim is the one that the change found */
				if :: STATE(now)==STATE_M && CHANGE(now)==run_ -> op_cas(OLD, prim, R_(run_,ID(todo))); KEEP(OLD) :: else fi;
#endif
				prim=0
			:: else
			fi
		fi;
		op_read(ANCHOR, now);
#ifdef BUG_OLD_RUN
		if :: STATE(now)==STATE_M && CHANGE(now)==run_ -> op_cas(ANCHOR, now, A_(RUN(now),ID(todo))) :: else fi;
#else
		if :: STATE(now)==STATE_M && CHANGE(now)==run_ -> op_cas(ANCHOR, now, A_(run_,ID(todo))) :: else fi;
#endif
		op_cas(NEW, todo, A_(run_,ID(todo)))
	:: now==todo && give==0 ->              /* X, touched: free the anchor, then the new claim */
		op_read(ANCHOR, now);
		if :: STATE(now)==STATE_M && CHANGE(now)==run_ -> op_cas(ANCHOR, now, A_(RUN(now),ID(todo))) :: else fi;
		now=LEFT(run_,ID(todo)); op_cas(NEW, todo, now);
		give=REFUSED
	:: else
	fi; now=0; run_=0; joined=0; ok=false
}
#endif
#ifdef USES_DROP
/* Drop, 4 and 5. todo = L or K, at the anchor. own_old: the committer's exact value of the claim to drop, else 0. */
#define LOSES PRIMARY(todo)
#define GIVEN_UP(v) (((v)&~15)|STATE_K)
inline finish_drop(own_old) {
	run_=CHANGE(todo); give=0;
	do
	:: give==0 ->
		if
		:: first -> first=false; now=todo       /* the committer: read in step 2, and the commit was the second look */
		:: else -> op_entry(ID(todo));
#ifdef BUG_DROP_NO_SECOND_LOOK
			if :: STATE(todo)==STATE_L -> now=todo :: else -> op_read(ANCHOR, now) fi
#else
			op_read(ANCHOR, now)
#endif
		fi;
		if
		:: now!=todo && STATE(todo)==STATE_L && now==GIVEN_UP(todo) -> todo=now         /* refused to another: give up with him */
		:: now!=todo && !(STATE(todo)==STATE_L && now==GIVEN_UP(todo)) -> give=(CAME_TRUE(now,run_) -> OK : UNKNOWN); break
		:: now==todo && !IN(e_values,LOSES) -> give=OK          /* it happened, or the entry is gone by hand */
		:: now==todo && IN(e_values,LOSES) && STATE(todo)==STATE_L ->
			op_write(ID(todo),run_);
			if
			:: result==0 -> give=OK
			:: result==50 ->
#ifdef BUG_DROP_NO_GIVING_UP
				op_touch(ID(todo),run_); break;
#endif
				op_cas(ANCHOR, todo, GIVEN_UP(todo)); if :: ok -> todo=GIVEN_UP(todo) :: else fi
			:: result==99 -> give=UNKNOWN; break
			:: else                                         /* look again */
			fi; result=0
		:: now==todo && IN(e_values,LOSES) && STATE(todo)==STATE_K ->
#ifdef BUG_DROP_NO_TOUCH
			result=0;
#else
			op_touch(ID(todo),run_);
#endif
			if :: result==0 -> break :: else fi; result=0
		fi
	:: else -> break
	od; e_values=0; e_mark=0; e_place=0; result=0;
	if
	:: now==todo && give==OK ->             /* close */
		if :: me==run_ -> atomic { LIVE -> answer[me]=OK; assert(IN(written,me)) } :: else fi;
#ifdef BUG_DROP_ANCHOR_FIRST
		op_cas(ANCHOR, todo, A_(run_,ID(todo)));
#endif
		if
		:: own_old!=0 -> op_cas(LOSES, own_old, R_(run_,ID(todo))); KEEP(LOSES)
		:: else -> op_read(LOSES, now);
			if
			:: STATE(now)==STATE_A && ID(now)==ID(todo) -> prim=now;
#if defined(BUG_DROP_CLOSE_BLIND) || defined(BUG_DROP_ANCHOR_FIRST)
				now=todo;
#else
				op_read(ANCHOR, now);   /* still this drop: so the claim is the one that it found */
#endif
				if :: now==todo -> op_cas(LOSES, prim, R_(run_,ID(todo))); KEEP(LOSES) :: else fi; prim=0
			:: else
			fi
		fi;
#ifdef BUG_DROP_OLD_RUN
		op_cas(ANCHOR, todo, A_(RUN(todo),ID(todo)))
#elif !defined(BUG_DROP_ANCHOR_FIRST)
		op_cas(ANCHOR, todo, A_(run_,ID(todo)))
#endif
	:: now==todo && give==0 ->              /* given up, touched */
#ifdef BUG_UNDO_OLD_RUN
		op_cas(ANCHOR, todo, A_(RUN(todo),ID(todo)));
#elif defined(BUG_UNDO_THIS_RUN)
		op_cas(ANCHOR, todo, A_(run_,ID(todo)));
#else
		op_cas(ANCHOR, todo, A_(NOBODY(run_),ID(todo)));
#endif
		if :: ok -> give=REFUSED :: else -> op_read(ANCHOR, now); give=(CAME_TRUE(now,run_) -> OK : UNKNOWN) fi
	:: else
	fi; now=0; run_=0; ok=false
}
#endif

/* The last words of a change. "Not done" holds for every execution of the attempt that began before. */
#define ANSWERED atomic { LIVE -> answer[me]=give; \
	if \
	:: give==OK -> assert((written & EXECUTIONS(me))!=0) \
	:: give!=OK && give!=UNKNOWN -> not_done=not_done|DENIED(me) \
	:: else \
	fi }
