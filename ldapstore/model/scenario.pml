/* scenario.pml: who acts. -DSCENARIO=NAME chooses one; init.pml starts its processes.
 *
 * A scenario is its number and the kinds of processes in it: what nobody does is left out, so that spin and the compiler
 * have less to go through.
 */
#define EXCHANGES  256                  /* or additions */
#define DROPS      512
#define DELETES   1024
#define RESOLVES  2048
#define JANITOR   4096
#define FINISHER  8192
#define BY_HAND  16384

/* creation */
#define TWO_PEOPLE              (1+JANITOR)                          /* the same two identifiers; janitor */
#define CROSSED_PAIRS           (2+JANITOR)                          /* the second identifier of one is the first of the other; janitor */
#define SECOND_SHARED           (3+JANITOR)                          /* only the second of each is the same; janitor */
#define ATTEMPT_TWICE           (4+JANITOR)                          /* one attempt executed twice at once; janitor */
#define ATTEMPT_AND_STRANGER    (5)                                  /* one attempt executed twice at once; a stranger wants the second identifier */
#define COMMITTED_LEFT          (6+FINISHER)                         /* committed, the owner dead; two finishers; a stranger */
#define RESOLVE                 (7+RESOLVES)                         /* one execution, Resolve, a stranger for both */
#define RESOLVE_TWICE           (8+RESOLVES)                         /* two executions at once, Resolve */
#define RESOLVE_ALONE           (9+RESOLVES)                         /* one execution, Resolve */

/* exchange of one alias for another */
#define THERE_AND_BACK          (10+EXCHANGES+FINISHER)              /* exchange, exchange back, late finisher */
#define THERE_AND_BACK_WANTED   (11+EXCHANGES)                       /* the same without the finisher; somebody wants the old value */
#define TWO_EXCHANGES           (12+EXCHANGES+FINISHER)              /* of one alias at once; late finisher */
#define TWO_AND_BACK            (13+EXCHANGES)                       /* the same, and one back */
#define EXCHANGE_AND_DELETE     (14+EXCHANGES+DELETES+FINISHER)      /* at once; late finisher */
#define EXCHANGE_REFUSED        (15+EXCHANGES+FINISHER)              /* two finishers */
#define EXCHANGE_REFUSED_AGAIN  (16+EXCHANGES+FINISHER)              /* a finisher; then another value */
#define EXCHANGE_JANITOR        (17+EXCHANGES+JANITOR)               /* two exchanges, janitor */
#define EXCHANGE_RETRIED        (18+EXCHANGES+FINISHER)              /* an execution stalls before its commit, the next one of its attempt runs; late finisher */
#define EXCHANGE_BY_HAND        (19+EXCHANGES+FINISHER+BY_HAND)      /* the entry is deleted by hand meanwhile; late finisher */

/* addition */
#define ADD_AND_EXCHANGE        (20+EXCHANGES+FINISHER)              /* exchange; the old value is added again; late finisher of the exchange */
#define ADD_AND_DELETE          (21+EXCHANGES+DELETES+FINISHER)      /* at once; late finisher */
#define ADD_REFUSED             (22+EXCHANGES+FINISHER)              /* two finishers */
#define ADD_WANTED              (23+EXCHANGES+FINISHER)              /* somebody wants the value; late finisher */
#define TWO_ADDS                (24+EXCHANGES+FINISHER)              /* two values at once; late finisher */
#define ADD_DROP                (25+EXCHANGES+DROPS+FINISHER)        /* added, then dropped; late finisher of the addition */
#define ADD_DROP_ADD            (26+EXCHANGES+DROPS)                 /* added, dropped, added again */
#define ADD_AFTER_CREATE        (27+EXCHANGES+FINISHER)              /* the creation is committed, not closed: late finisher of it */
#define ADD_RETRIED             (28+EXCHANGES+FINISHER)              /* an execution stalls before its commit, the next one of its attempt runs; late finisher */
#define ADD_BY_HAND             (29+EXCHANGES+FINISHER+BY_HAND)      /* the entry is deleted by hand meanwhile */

/* drop */
#define DROP_AND_ADD            (30+EXCHANGES+DROPS+FINISHER)        /* dropped, added again; late finisher of the drop */
#define DROP_ADD_WANTED         (31+EXCHANGES+DROPS)                 /* dropped, added again; somebody wants it */
#define DROP_WANTED             (32+DROPS+FINISHER)                  /* somebody wants the value; late finisher */
#define DROP_REFUSED            (33+DROPS+FINISHER)                  /* two finishers */
#define DROP_RETRIED            (34+DROPS+FINISHER)                  /* an execution stalls before its commit, the next one of its attempt runs; late finisher */
#define TWO_DROPS               (35+DROPS+FINISHER)                  /* of the same alias at once; late finisher */
#define DROP_AND_EXCHANGE       (36+EXCHANGES+DROPS+FINISHER)        /* of the same alias at once; late finisher of the drop */
#define DROP_OTHER              (37+EXCHANGES+DROPS+FINISHER)        /* one alias exchanged while another is dropped; late finisher of the exchange */
#define DROP_AFTER_CREATE       (38+DROPS+FINISHER)                  /* the creation is committed, not closed: late finisher of it */
#define DROP_JANITOR            (39+EXCHANGES+DROPS+JANITOR)         /* a drop and an addition of the same value; janitor */
#define DROP_AND_DELETE         (40+DROPS+DELETES+FINISHER)          /* at once; late finisher of the drop */
#define DROP_DELETE_JANITOR     (41+DROPS+DELETES+JANITOR)           /* a drop and a deletion; janitor */
#define DROP_DELETE_WANTED      (42+DROPS+DELETES)                   /* a drop and a deletion; the username is wanted */
#define DROP_EXCHANGE_DELETE    (43+EXCHANGES+DROPS+DELETES)         /* of the same alias, and a deletion, at once */
#define ADD_DROP_DELETE         (44+EXCHANGES+DROPS+DELETES)         /* an addition, a drop of another alias, and a deletion, at once */
#define DROP_BY_HAND            (45+DROPS+FINISHER+BY_HAND)          /* the entry is deleted by hand meanwhile; late finisher */

/* deletion */
#define DELETE_LATE_FINISHER    (46+DELETES+FINISHER)                /* of a creation not closed: its late finisher; the username is wanted */
#define DELETE_TWICE            (47+DELETES)                         /* at once; then the same names */
#define DELETE_TWICE_JANITOR    (48+DELETES+JANITOR)                 /* at once; janitor */
#define DELETE_JANITOR          (49+DELETES+JANITOR)                 /* of a creation not closed; janitor; the username is wanted */

#define USES(kind) ((SCENARIO)&(kind))
#if SCENARIO==DROP_RETRIED || SCENARIO==ADD_RETRIED || SCENARIO==EXCHANGE_RETRIED
#define SAME_ATTEMPT
#endif
