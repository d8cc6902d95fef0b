/* last.pml: everybody stops at any moment; a janitor alone, three passes; then what must hold, and a last caller. */
#define CLOSED(k) assert(STATE(claim[k])==ABSENT || STATE(claim[k])==STATE_F || STATE(claim[k])==STATE_R || (STATE(claim[k])==STATE_A && LIVES(ID(claim[k]),k)))
#define CLAIMED(k) assert(!LIVING(k) || STATE(claim[k])==STATE_A)
#define WHOLE(e) assert(place[e]==NONE || place[e]==GONE || (place[e]==PEOPLE && IN(usable,e)))
#define RUN_IS(r,k1,k2,user) primary[r]=k1; other[r]=k2; username[r]=user

inline newcomer(k) {                    /* a stranger wants k: he gets it unless a live account has it */
	taken=LIVING(k); RUN_IS(8,k,NOKEY,k); run Create(8,k,NOKEY,true); if :: answer[8]!=0 :: timeout -> assert(!9) fi;
	assert(answer[8]==(taken -> EXISTS : OK))
}
inline retry(r,a) {                     /* attempt a once more, as run r: settled, and ok if it ever was */
	RUN_IS(r,primary[a],other[a],username[a]); run Create(r,primary[a],other[a],true); if :: answer[r]!=0 :: timeout -> assert(!9) fi;
	assert(answer[r]==OK || (answer[r]==EXISTS && !IN(acknowledged,a) && !IN(acknowledged,r)))
}
proctype Last() {
	byte own1, own2, n, task, taken; bool last=true; LOCALS;
	atomic { stopped=true; if :: SERVER==3 -> late_move=0 :: else fi;       /* what is queued is shorter than the hold */
	do
	:: n<3*(KEYS+3) -> task=n%(KEYS+3);
#ifdef NO_HOLD
		if :: misplaced!=0 && ENTRY_AT(username[misplaced])==0 -> place[misplaced]=PEOPLE; misplaced=0 :: else fi;         /* put back */
#endif
		if :: task<KEYS -> visit(task) :: task>=KEYS && place[task-KEYS+1]==STAGED -> sweep(task-KEYS+1) :: else fi; tries=0; n++
	:: else -> break
	od; n=0; task=0; result=0;
	CLOSED(KA); CLOSED(KB); CLOSED(KC); CLOSED(KD); CLAIMED(KA); CLAIMED(KB); CLAIMED(KC); CLAIMED(KD); WHOLE(1); WHOLE(2); WHOLE(3);
	if
	:: atomic { if :: task=KA :: task=KB :: task=KC fi }; newcomer(task)
	:: primary[1]!=NOKEY && !IN(deletion_asked,1) && !resolved -> retry(6,1)
	:: primary[2]!=NOKEY && !IN(deletion_asked,2) -> retry(7,2)
	fi }
}
