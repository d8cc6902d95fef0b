/* janitor.pml: who meets what others left: the janitor, and a look-up that finishes what is committed. */
inline visit(k) {
	op_read(k, seen);
	if
	:: STATE(seen)==STATE_C || STATE(seen)==STATE_X || STATE(seen)==STATE_L || STATE(seen)==STATE_K -> todo=seen; at=k
	:: STATE(seen)==STATE_P -> resolve(k,false)
#if USES(EXCHANGES)
	:: STATE(seen)==STATE_M -> resolve_lock(k,false)
#endif
#if USES(DELETES)
	:: STATE(seen)==STATE_D -> acct=ID(seen); seen=0; finish_delete(acct); acct=0
#endif
#if USES(BY_HAND)
	:: STATE(seen)==STATE_A -> op_look(ID(seen)); if :: e_mark==GONE -> op_cas(k, seen, R_(RUN(seen),ID(seen))) :: else fi; e_mark=0
#endif
	:: else
	fi; seen=0;
	if :: todo!=0 -> finish(at,false); todo=0; at=0 :: else fi; give=0; ok=false
}
#if USES(JANITOR)
proctype Janitor() {
	byte own1, own2, task; bool last; LOCALS;
end:	do
	:: atomic {
		if
		:: OPEN(claim[KA]) -> task=KA
		:: OPEN(claim[KB]) -> task=KB
		:: OPEN(claim[KC]) -> task=KC
		:: OPEN(claim[KD]) -> task=KD
		:: place[1]==STAGED -> task=KEYS+1
		:: place[2]==STAGED -> task=KEYS+2
		:: place[3]==STAGED -> task=KEYS+3
		fi };
		if :: task<KEYS -> visit(task) :: else -> sweep(task-KEYS); result=0 fi; task=0; ok=false
	od
}
#endif
#if USES(FINISHER) && !(defined(FINISHERS) && FINISHERS==0)
proctype Finisher(byte k) {             /* Lookup: finishes what is committed, aborts nothing */
	byte own1, own2; bool last; LOCALS;
	op_read(k, seen);
	if
	:: STATE(seen)==STATE_C || STATE(seen)==STATE_X || STATE(seen)==STATE_L || STATE(seen)==STATE_K -> todo=seen; at=k
	:: STATE(seen)==STATE_P && PRIMARY(seen)!=k -> op_read(PRIMARY(seen), prim);
		if :: STATE(prim)==STATE_C && RUN(prim)==RUN(seen) -> todo=prim; at=PRIMARY(seen) :: else fi
	:: else
	fi; seen=0; prim=0;
	if :: todo!=0 -> finish(at,false) :: else fi; CLEAR
}
#endif
