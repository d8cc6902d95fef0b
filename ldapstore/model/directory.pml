/* directory.pml: the entries, and what a server does atomically.
 *
 * One LDAP operation is one op_ inline, one atomic step. A process that crashes is one that is never scheduled again, a
 * stalled one is scheduled late. Nobody but Last (last.pml) goes on once `stopped` is set.
 */
int claim[KEYS];

#define NONE 0
#define STAGED 1                        /* cn=<run>-<primary>,ou=pending */
#define PEOPLE 2                        /* at its final name */
#define TRASH 3                         /* cn=<id>,ou=pending: being deleted */
#define GONE 4
byte place[RUNS], values[RUNS], password[RUNS], username[RUNS], other[RUNS], primary[RUNS];
byte mark[RUNS];                        /* the fence: run of the last write or touch of the entry */
byte olds[RUNS];                        /* of a change: the identifier that goes, or NOKEY; primary[] is the one that comes, or NOKEY */
byte back[RUNS];                        /* r: of a change: the run of the R that its P was taken from, or 0 */
byte deletion_list;                     /* serialNumber of D: the other claims of account 1, as bits */
byte misplaced;                         /* 389: whose entry a late move brought below ou=pending under the id 1 */

short committed, acknowledged, deletion_asked, usable; /* bits: entries */
short written, not_done;                /* bits: changes that are in the entry; changes answered "not done" */
bool deletion_answered;
byte kept;                              /* HOLD_FOR_EVER: bits: identifiers that were dropped */
#ifndef REFUSE
#define REFUSE 0
#endif
byte refusals=REFUSE; bool refuses_new;
bool resolved, late[RUNS];              /* Resolve found nothing of attempt 1; the NotAfter of a run has passed */
byte answer[RUNS];
#define OK 1
#define EXISTS 2
#define UNAVAILABLE 3
#define UNKNOWN 4
#define CONFLICT 5
#define REFUSED 6
#define NOTFOUND 7

bool stopped;
/* sent, not answered, to happen later or never (LATE): */
short late_stage, late_commit;          /* bits: runs */
byte late_write, late_mark, late_place; /* a Modify by this run, with what was read */
byte late_lock; int late_lock_from, late_lock_to;       /* the commit of a drop by this run */
byte late_move;                         /* a ModifyDN of this account */
short in_window, held_for[KEYS];        /* who is between the look at D and the move by name; whom an R still waits for */

#define BIT(n) (1<<(n))
#define IN(m,n) (((m)>>(n))&1)
#define CARRIES(e,k) IN(values[e],k)
#define LIVES(e,k) (place[e]==PEOPLE && CARRIES(e,k))
#define LIVING(k) (LIVES(1,k)||LIVES(2,k)||LIVES(3,k)||LIVES(6,k)||LIVES(7,k)||LIVES(8,k))
#define AT(e,n) (place[e]==PEOPLE && username[e]==(n))
#define ENTRY_AT(n) (AT(1,n) -> 1 : (AT(2,n) -> 2 : (AT(3,n) -> 3 : (AT(6,n) -> 6 : (AT(7,n) -> 7 : (AT(8,n) -> 8 : 0))))))

/* The hold is longer than any process or queued request stalls between the look and the move by name. */
#ifdef NO_HOLD
#define EXPIRED(k) true
#elif defined(HOLD_FOR_EVER)
#define EXPIRED(k) (stopped)
#else
#define EXPIRED(k) (stopped || held_for[k]==0)
#endif

/* What every process has of its own. seen: the value it judges; prim: that of a primary; todo, at: a committed value to
 * finish and where it was read; now: a second look; ok, result: of the last operation; give: the answer so far; e_...: the
 * entry as read; first: nothing needs to be read again yet. Everything is cleared when it means nothing any more, which
 * keeps the number of states down. */
#define LOCALS int seen, prim, todo, now; byte tries, me, at, acct, i, give, result, joined, e_place, e_mark, e_values, hit, run_; bool ok, first
#define CLEAR tries=0; seen=0; prim=0; todo=0; now=0; at=0; acct=0; i=0; give=0; result=0; joined=0; e_place=0; e_mark=0; e_values=0; hit=0; run_=0; ok=false; first=false
