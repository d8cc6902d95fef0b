/* finish_drop.pml: anyone carries on a drop, 4 and 5. */
#if USES(DROPS)
/* todo = L or K, at the anchor. own_old: the committer's exact value of the claim to drop, else 0. */
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
		if :: me==run_ -> atomic { LIVE -> answer[me]=OK; assert(IN(written,me) || GONE_BY_HAND) } :: else fi;
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
