/* finish_change.pml: anyone carries on an exchange or an addition, 5 and 6. */
#if USES(EXCHANGES)
/* todo = C or X, at the primary of its run. own_old: the committer's exact value of the
 * old claim, else 0. joined: what to do once C has become X. */
#define NEW primary[run_]
#define OLD olds[run_]
#ifdef BUG_WRITTEN_IS_EXACT
#define WITHOUT_OLD && !(OLD!=NOKEY && IN(e_values,OLD))
#else
#define WITHOUT_OLD             /* old may be back by then */
#endif
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
		:: now==todo && (e_place==PEOPLE || e_place==TRASH) && IN(e_values,NEW) WITHOUT_OLD -> give=OK  /* it happened */
#ifdef BUG_WRITTEN_IS_EXACT
		:: now==todo && e_place==PEOPLE && IN(e_values,NEW) && !(true WITHOUT_OLD) -> op_write(ID(todo),run_); result=0
#endif
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
		if :: me==run_ -> atomic { LIVE -> answer[me]=OK; assert(IN(written,me) || GONE_BY_HAND) } :: else fi;
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
