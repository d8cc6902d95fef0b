/* delete.pml: deletion of account e. */
#if USES(DELETES)
inline finish_delete(e) {               /* 3 and 4: the anchor says D */
	result=0;
	atomic { LIVE -> ok=(STATE(claim[username[e]])==STATE_D && ID(claim[username[e]])==e); if :: ok && SERVER==3 -> ENTER :: else fi };
	if :: ok -> op_move_out(e) :: else fi;
	if :: ok && result==0 -> op_look(e) :: else -> e_mark=0 fi; result=0;
	if
	:: ok && (e_mark==TRASH || e_mark==GONE) -> e_mark=0;
		atomic { LIVE -> if :: e==1 -> deletion_answered=true :: else fi };
#if defined(NO_HOLD) && !defined(BUG_NOT_PUT_BACK)
		atomic { LIVE -> e_mark=misplaced };
		if :: e_mark!=0 -> atomic { LIVE -> if :: misplaced!=0 && ENTRY_AT(username[misplaced])==0 -> place[misplaced]=PEOPLE; misplaced=0 :: else fi };
			e_mark=0; ok=false :: else fi;
#endif
		if
		:: ok -> op_delete(e); i=0;
			do
			:: i<KEYS ->
				if
				:: IN(deletion_list,i) -> op_read(i, now); if :: STATE(now)==STATE_A && ID(now)==e -> op_cas(i, now, F_(e)) :: else fi
				:: else
				fi; i++
			:: else -> break
			od;
			op_read(username[e], now); if :: STATE(now)==STATE_D && ID(now)==e -> op_cas(username[e], now, R_(e,e)) :: else fi
		:: else
		fi
	:: else
	fi;
	now=0; i=0; e_mark=0; ok=false
}

proctype Delete(byte e) {
	byte own1, own2; bool last; LOCALS; int anchor; byte list;
	atomic { LIVE && place[e]==PEOPLE -> deletion_asked=deletion_asked|BIT(e) };
	do
	:: op_read(username[e], seen);
		if
		:: STATE(seen)==STATE_A && ID(seen)==e -> anchor=seen;          /* 1: the anchor, then the entry, then each claim */
			op_entry(e); e_place=0; e_mark=0; i=0;
			do
			:: i<KEYS ->
				if
				:: i!=username[e] && IN(e_values,i) -> op_read(i, seen);
					if
					:: STATE(seen)==STATE_A && ID(seen)==e -> list=list|BIT(i)
#ifdef BUG_DELETE_UNREADY
					:: STATE(seen)!=STATE_A && ID(seen)==e
#else
					:: (STATE(seen)==STATE_C || STATE(seen)==STATE_X) && ID(seen)==e -> todo=seen; at=i; anchor=0; break
#endif
					:: STATE(seen)==STATE_P && RUN(seen)==e -> resolve(i,false); anchor=0; break
					:: else -> anchor=0; break      /* no commit with a claim that is not A */
					fi
				:: else
				fi; i++
			:: else -> break
			od; i=0; e_values=0;
			if
			:: anchor!=0 -> atomic { LIVE ->        /* 2 */
					if
					:: claim[username[e]]==anchor -> claim[username[e]]=D_(RUN(anchor),e); if :: e==1 -> deletion_list=list :: else fi; ok=true
					:: else -> ok=false
					fi };
				if :: ok -> ok=false; anchor=0; list=0; goto finish_it :: else fi
			:: else
			fi; anchor=0; list=0
		:: (STATE(seen)==STATE_C || STATE(seen)==STATE_L || STATE(seen)==STATE_K) && ID(seen)==e -> todo=seen; at=username[e]
		:: STATE(seen)==STATE_P && RUN(seen)==e -> resolve(username[e],false)
#if USES(EXCHANGES)
		:: STATE(seen)==STATE_M && ID(seen)==e -> resolve_lock(username[e],false)
#endif
		:: STATE(seen)==STATE_D && ID(seen)==e -> goto finish_it
		:: else -> goto done
		fi; seen=0;
		if :: todo!=0 -> finish(at,false); todo=0; at=0 :: else fi; give=0
	od;
finish_it:
	seen=0; finish_delete(e);
done:	CLEAR; anchor=0; list=0
}
#endif
