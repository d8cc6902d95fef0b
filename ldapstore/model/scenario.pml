/* scenario.pml: who acts. -DSCENARIO=NAME chooses one; init.pml starts its processes.
 *
 * USES_... leaves out what nobody in the scenario can do, so that spin and the compiler have less to go through.
 */

/* creation */
#define TWO_PEOPLE 1            /* the same two identifiers; janitor */
#define CROSSED_PAIRS 2         /* the second identifier of one is the first of the other; janitor */
#define SECOND_SHARED 3         /* only the second of each is the same; janitor */
#define ATTEMPT_TWICE 4         /* one attempt executed twice at once; janitor */
#define ATTEMPT_AND_STRANGER 5  /* one attempt executed twice at once; a stranger wants the second identifier */
#define COMMITTED_LEFT 6        /* committed, the owner dead; two finishers; a stranger */
#define RESOLVE 7               /* one execution, Resolve, a stranger for both */
#define RESOLVE_TWICE 8         /* two executions at once, Resolve */
#define RESOLVE_ALONE 9         /* one execution, Resolve */

/* exchange of one alias for another */
#define THERE_AND_BACK 20       /* exchange, exchange back, late finisher */
#define THERE_AND_BACK_WANTED 21 /* the same without the finisher; somebody wants the old value */
#define TWO_EXCHANGES 22        /* of one alias at once; late finisher */
#define TWO_AND_BACK 23         /* the same, and one back */
#define EXCHANGE_AND_DELETE 24  /* late finisher */
#define EXCHANGE_REFUSED 25     /* two finishers */
#define EXCHANGE_REFUSED_AGAIN 26 /* a finisher; then another value */
#define EXCHANGE_JANITOR 27     /* two exchanges, janitor */

/* addition */
#define ADD_AND_EXCHANGE 30     /* exchange; the old value is added again; late finisher of the exchange */
#define ADD_AND_DELETE 31       /* late finisher */
#define ADD_REFUSED 32          /* two finishers */
#define ADD_WANTED 33           /* somebody wants the value; late finisher */
#define TWO_ADDS 34             /* two values at once; late finisher */
#define ADD_DROP 35             /* added, then dropped; late finisher of the addition */
#define ADD_DROP_ADD 36         /* added, dropped, added again */
#define ADD_AFTER_CREATE 37     /* the creation is committed, not closed: late finisher of it */

/* drop */
#define DROP_AND_ADD 40         /* dropped, added again; late finisher of the drop */
#define DROP_AND_DELETE 41      /* late finisher of the drop */
#define DROP_REFUSED 42         /* two finishers */
#define DROP_REFUSED_ONE 52     /* one finisher */
#define DROP_WANTED 43          /* somebody wants the value; late finisher */
#define DROP_AND_EXCHANGE 44    /* of the same alias at once; late finisher of the drop */
#define TWO_DROPS 45            /* of the same alias at once; late finisher */
#define DROP_OTHER 46           /* one alias exchanged while another is dropped; late finisher of the exchange */
#define DROP_RETRIED 47         /* -DSAME_ATTEMPT: an execution stalls before its commit, the next one runs; late finisher */
#define DROP_AFTER_CREATE 48    /* the creation is committed, not closed: late finisher of it */
#define DROP_JANITOR 49         /* a drop and an addition of the same value; janitor */
#define DROP_ADD_WANTED 51      /* dropped, added again; somebody wants it */
#define DROP_DELETE_JANITOR 50  /* a drop and a deletion; janitor */

/* deletion */
#define DELETE_LATE_FINISHER 60 /* of a creation not closed: its late finisher; the username is wanted */
#define DELETE_TWICE 61         /* at once; then the same names */
#define DELETE_TWICE_JANITOR 62
#define DELETE_JANITOR 63       /* of a creation not closed; janitor; the username is wanted */

#if SCENARIO==TWO_PEOPLE || SCENARIO==CROSSED_PAIRS || SCENARIO==SECOND_SHARED || SCENARIO==ATTEMPT_TWICE || SCENARIO==EXCHANGE_JANITOR || \
	SCENARIO==DROP_JANITOR || SCENARIO==DROP_DELETE_JANITOR || SCENARIO==DELETE_TWICE_JANITOR || SCENARIO==DELETE_JANITOR
#define USES_JANITOR
#endif
#if SCENARIO==COMMITTED_LEFT || SCENARIO==DELETE_LATE_FINISHER || (SCENARIO>=20 && SCENARIO<60 && !defined(USES_JANITOR) && \
	SCENARIO!=THERE_AND_BACK_WANTED && SCENARIO!=TWO_AND_BACK && SCENARIO!=ADD_DROP_ADD && SCENARIO!=DROP_ADD_WANTED)
#define USES_FINISHER
#endif
#if SCENARIO>=20 && SCENARIO<60 && SCENARIO!=DROP_WANTED && SCENARIO!=DROP_RETRIED && SCENARIO!=DROP_REFUSED && SCENARIO!=DROP_REFUSED_ONE && \
	SCENARIO!=TWO_DROPS && SCENARIO!=DROP_AND_DELETE && SCENARIO!=DROP_AFTER_CREATE && SCENARIO!=DROP_DELETE_JANITOR
#define USES_CHANGE
#endif
#if SCENARIO==ADD_DROP || SCENARIO==ADD_DROP_ADD || (SCENARIO>=40 && SCENARIO<60)
#define USES_DROP
#endif
#if SCENARIO==EXCHANGE_AND_DELETE || SCENARIO==ADD_AND_DELETE || SCENARIO==DROP_AND_DELETE || SCENARIO==DROP_DELETE_JANITOR || SCENARIO>=60
#define USES_DELETE
#endif
#if SCENARIO==RESOLVE || SCENARIO==RESOLVE_TWICE || SCENARIO==RESOLVE_ALONE
#define USES_RESOLVE
#endif
#if SCENARIO==DROP_RETRIED
#define SAME_ATTEMPT
#endif
