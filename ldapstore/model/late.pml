/* late.pml: what was sent and not answered happens later or never. */
#ifdef LATE
proctype Flight() {
	byte result, hit; bool ok;
end:	do
	:: atomic { late_write!=0 -> if :: true -> write(1,late_write,late_mark,late_place) :: skip fi; late_write=0; late_mark=0; late_place=0; result=0 }
#if USES(DELETES)
	:: atomic { late_move!=0 -> if :: true -> move_out(late_move) :: skip fi; late_move=0; OUT(LATE_BIT) }
#endif
#if USES(DROPS)
	:: atomic { late_lock!=0 -> if :: true -> cas(username[1],late_lock_from,late_lock_to) :: skip fi;
		late_lock=0; late_lock_from=0; late_lock_to=0; ok=false }
#endif
	od
}
proctype FlightOf(byte r; byte own1) {  /* of a creation */
	bool last, ok;
end:	do
	:: atomic { IN(late_stage,r) && LIVE -> late_stage=late_stage&~BIT(r); stage(r); ok=false }
	:: atomic { IN(late_commit,r) && LIVE -> late_commit=late_commit&~BIT(r);
		if :: claim[own1]==P_(r,own1) -> commit(r) :: else fi }
	od
}
#endif
