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
#if USES(DROPS)
	:: STATE(todo)==STATE_L || STATE(todo)==STATE_K -> finish_drop(0)
#endif
#if USES(EXCHANGES)
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

#if USES(BY_HAND)
#define GONE_BY_HAND (place[1]==GONE)
#else
#define GONE_BY_HAND false
#endif
#define ANCHOR username[ID(todo)]
#define CAME_TRUE(v,r) ((TAKEN(v) || STATE(v)==STATE_D) && RUN(v)==(r))      /* the anchor carries the run */

/* The last words of a change. "Not done" holds for every execution of the attempt that began before. */
#define ANSWERED atomic { LIVE -> answer[me]=give; \
	if \
	:: give==OK -> assert((written & EXECUTIONS(me))!=0 || GONE_BY_HAND) \
	:: give!=OK && give!=UNKNOWN -> not_done=not_done|DENIED(me) \
	:: else \
	fi }
