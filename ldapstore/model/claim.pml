/* claim.pml: what a claim says, one number per value.
 *
 * The letters are those of the state values in the directory; a test compares them with package claim. Fields that no
 * rule compares (kind, deadline, until) are left out. The attempt follows from the run.
 */

/* the identifiers that processes fight for, and none */
#define KA 0
#define KB 1
#define KC 2
#define KD 3
#define KEYS 4
#define NOKEY 4

#define ABSENT 0        /* no such entry */
#define STATE_F 1       /* free */
#define STATE_P 2       /* wanted by a run; everything else is decided at its primary */
#define STATE_C 3       /* committed, to be finished by anyone (primary only) */
#define STATE_A 4       /* held by an account */
#define STATE_D 5       /* anchor: deletion committed */
#define STATE_R 6       /* held back for an account */
#define STATE_M 7       /* anchor: locked by an exchange or an addition, whose primary decides */
#define STATE_X 8       /* committed exchange or addition, being abandoned */
#define STATE_L 9       /* anchor: drop committed */
#define STATE_K 10      /* anchor: drop being given up */

#define STATE(v)   ((v)&15)
#define RUN(v)     (((v)>>4)&15)
#define ID(v)      (((v)>>8)&15)
#define PRIMARY(v) (((v)>>12)&7)        /* P: the primary. M: the primary of the change. L, K: the claim to drop */
#define CHANGE(v)  (((v)>>15)&15)       /* M, L, K: the run of the change */

#define F_(r)       (STATE_F|((r)<<4))
#define P_(r,k)     (STATE_P|((r)<<4)|((k)<<12))
#define C_(r,e)     (STATE_C|((r)<<4)|((e)<<8))
#define A_(r,e)     (STATE_A|((r)<<4)|((e)<<8))
#define D_(r,e)     (STATE_D|((r)<<4)|((e)<<8))
#define R_(r,e)     (STATE_R|((r)<<4)|((e)<<8))         /* r: the run that dropped it, which stands for until and attempt */
#define M_(r,e,k,s) (STATE_M|((r)<<4)|((e)<<8)|((k)<<12)|((s)<<15))
#define X_(r,e)     (STATE_X|((r)<<4)|((e)<<8))
#define L_(r,e,k,s) (STATE_L|((r)<<4)|((e)<<8)|((k)<<12)|((s)<<15))
#define K_(r,e,k,s) (STATE_K|((r)<<4)|((e)<<8)|((k)<<12)|((s)<<15))

#define LOCKED(v)  (STATE(v)==STATE_M || STATE(v)==STATE_L || STATE(v)==STATE_K)
#define OPEN(v)    (STATE(v)==STATE_P || STATE(v)==STATE_C || STATE(v)==STATE_D || STATE(v)>=STATE_M)
#define TAKEN(v)   (STATE(v)==STATE_A || LOCKED(v))     /* an account has it at rest or as its locked anchor */

/* Runs. 1, 3 and 6 execute attempt 1; 2 and 7 attempt 2; 8 is a newcomer. A run stages at most one entry, so its number
 * is also that entry's id. 4, 5 and 9 change account 1; with SAME_ATTEMPT 4 and 5 are executions of one attempt. A drop
 * that is given up leaves the anchor with a run of nobody: 12, 13, 14. */
#define RUNS 15
#define CHANGES(r) ((r)==4 || (r)==5 || (r)==9)
#ifdef SAME_ATTEMPT
#define CHANGE_ATTEMPT(r) ((r)==5 -> 4 : (r))
#define EXECUTIONS(r) ((1<<4)|(1<<5))
#define DENIED(r) ((r)==5 -> (1<<4)|(1<<5) : 1<<(r))    /* 5 begins when 4 has lost its right to commit */
#else
#define CHANGE_ATTEMPT(r) (r)
#define EXECUTIONS(r) (1<<(r))
#define DENIED(r) (1<<(r))
#endif
#define ATTEMPT(r) ((r)==3 || (r)==6 -> 1 : ((r)==7 -> 2 : CHANGE_ATTEMPT(r)))
#define NOBODY(r) ((r)==4 -> 12 : ((r)==5 -> 13 : 14))
/* the attempt in the claim of k: an anchor keeps that of the creation, whatever its run */
#define ATTEMPT_IN(v,k) (username[ID(v)]==(k) -> ATTEMPT(ID(v)) : ATTEMPT(RUN(v)))
