/* operations.pml: the LDAP operations. `result` is 0 or the result code; 99: no answer. */
#define LIVE (!stopped || last)
#define MYBIT BIT(_pid&15)
#define ENTER in_window=in_window|MYBIT
#define OUT(b) in_window=in_window&~(b); held_for[KA]=held_for[KA]&~(b); held_for[KB]=held_for[KB]&~(b); held_for[KC]=held_for[KC]&~(b)
#define LEAVE OUT(MYBIT)
#define LATE_BIT 16384

/* Who is alone comes to an end. */
#define BOUND if :: last -> tries++; assert(tries<100) :: else fi

/* ---- claims ---- */
inline op_read(k,v) { atomic { LIVE -> v=claim[k]; BOUND } }
inline cas(k,from,to) {
	if
	:: claim[k]==(from) -> claim[k]=(to); ok=true; held_for[k]=(STATE(to)==STATE_R -> in_window : 0)
	:: else -> ok=false
	fi
}
inline op_cas(k,from,to) { atomic { LIVE -> cas(k,from,to) } }
#define op_add(k,to) op_cas(k,ABSENT,to)        /* Add: 68 if it is there */

/* what an aborted or released P of run r goes back to; what an abandoned one leaves */
#ifdef BUG_FORGET_HOLD
#define BACK(r) F_(r)
#else
#define BACK(r) (back[r]!=0 -> R_(back[r],1) : F_(r))
#endif
#define LEFT(r,e) (back[r]!=0 -> R_(back[r],e) : R_(r,e))

/* ---- staged accounts ---- */
inline op_search() { atomic { LIVE -> ok=(LIVING(own1) || (own2!=NOKEY && LIVING(own2))) } }

#define CLASH(e,r) (e!=r && (place[e]==STAGED || place[e]==PEOPLE || place[e]==TRASH) && (CARRIES(e,primary[r]) || (other[r]!=NOKEY && CARRIES(e,other[r]))))
inline stage(r) {
	if
#ifdef UNIQUE
	:: CLASH(1,r) || CLASH(2,r) || CLASH(3,r) -> ok=false
#endif
	:: else -> place[r]=STAGED; values[r]=BIT(primary[r])|(other[r]==NOKEY -> 0 : BIT(other[r])); mark[r]=r;
		if :: SERVER==1 -> usable=usable|BIT(r) :: else -> password[r]=r fi; ok=true
	fi
}
inline op_stage(r) { atomic { LIVE -> stage(r) } }
inline op_password(r) {                 /* OpenLDAP; elsewhere it was in the Add */
#if SERVER==1
	atomic { LIVE -> ok=(place[r]==STAGED); if :: ok -> password[r]=r :: else fi }
#else
	skip
#endif
}
inline op_unstage(r,by) {               /* Delete cn=<run>-<primary>,ou=pending */
	atomic { LIVE ->
	if
	:: place[r]==STAGED ->
		assert(!IN(committed,r));       /* clean-up deletes nothing that lives, */
		assert(by==r || !((STATE(claim[primary[r]])==STATE_P || STATE(claim[primary[r]])==STATE_C) && RUN(claim[primary[r]])==r));
		place[r]=GONE                   /* nor what may yet be committed */
	:: else
	fi }
}
inline commit(r) {
	assert(place[r]==STAGED && password[r]==r);     /* what is committed is whole */
	assert(!(resolved && ATTEMPT(r)==1));           /* nothing comes to life after Resolve found nothing */
#ifdef HOLD_FOR_EVER
	assert(stopped || !(IN(kept,primary[r]) || (other[r]!=NOKEY && IN(kept,other[r])))); /* a held value stays its account's */
#endif
	claim[primary[r]]=C_(r,r); committed=committed|BIT(r)
}
inline op_commit(r) {                   /* 0, 16 lost, 99 no answer */
	atomic { LIVE ->
	if
	:: claim[own1]==P_(r,own1) ->
		if
		:: commit(r); result=0
		:: !last -> commit(r); result=99
#ifdef LATE
		:: !last -> late_commit=late_commit|BIT(r); result=99
#endif
		fi
	:: else -> if :: result=16 :: result=99 fi
	fi }
}
inline op_enable(r) {                   /* AD, 389: at the staged name */
#if SERVER!=1
	atomic { LIVE -> if :: place[r]==STAGED -> usable=usable|BIT(r) :: else fi }
#else
	skip
#endif
}
inline op_move(r) {                     /* ModifyDN to the final name: 0, 32, 68 */
	atomic { LIVE ->
	if
	:: place[r]!=STAGED -> result=32
	:: place[r]==STAGED && ENTRY_AT(username[r])!=0 -> result=68
	:: else -> place[r]=PEOPLE; result=0
	fi }
}

/* ---- accounts ---- */
inline op_look(e) { atomic { LIVE -> e_mark=place[e] } }        /* by id: only where it is */
inline op_entry(e) {                    /* by id: place, mark, values */
	atomic { LIVE -> e_place=place[e]; e_mark=mark[e]; e_values=(e_place==PEOPLE || e_place==TRASH -> values[e] : 0); BOUND }
}
/* whom a Modify hits: AD the entry itself, elsewhere who has the DN that was read */
#define TARGET(e,where) (SERVER==2 -> (place[e]==PEOPLE || place[e]==TRASH -> e : 0) : (where==PEOPLE -> ENTRY_AT(username[e]) : (place[e]==TRASH -> e : 0)))
#ifdef BUG_NO_FENCE
#define FENCED(e,m) true
#else
#define FENCED(e,m) (mark[e]==(m))
#endif
#define FITS(e,r) ((olds[r]==NOKEY || CARRIES(e,olds[r])) && (primary[r]==NOKEY || !CARRIES(e,primary[r])))
inline write(e,r,m,where) {             /* one Modify: the mark read to the run, the old value out, the new one in */
	hit=TARGET(e,where);
	if
	:: hit==0 -> result=32
	:: hit!=0 && FENCED(hit,m) && FITS(hit,r) ->
		assert(hit==e);                 /* never another's entry */
		assert(!IN(written,r));         /* no change happens twice */
		values[hit]=(values[hit] & ~(olds[r]==NOKEY -> 0 : BIT(olds[r]))) | (primary[r]==NOKEY -> 0 : BIT(primary[r]));
		mark[hit]=r; written=written|BIT(r); result=0
	:: else -> result=16
	fi; hit=0
}
inline op_write(e,r) {                  /* also 50: refused for good */
	atomic { LIVE ->
	if
	:: !(refuses_new && (primary[r]==KC || primary[r]==NOKEY)) -> write(e,r,e_mark,e_place)
	:: refuses_new && (primary[r]==KC || primary[r]==NOKEY) -> result=50
	:: refusals>0 -> refusals--; result=50
#ifdef LATE
	:: late_write==0 && !last -> late_write=r; late_mark=e_mark; late_place=e_place; result=99
#endif
	fi }
}
inline op_touch(e,r) {                  /* swap the mark alone: 0, 16, 32 */
	atomic { LIVE ->
	hit=TARGET(e,e_place);
	if
	:: hit==0 -> result=32
	:: hit!=0 && mark[hit]==e_mark -> assert(hit==e); mark[hit]=r; result=0
	:: else -> result=16
	fi; hit=0 }
}

inline op_lock(e,k) {                   /* the commit of a drop: CAS of the anchor from `anchor`: 0, 16, 99. todo: the L, if it is there */
	atomic { LIVE -> todo=L_(RUN(anchor),e,k,me);
	if
	:: true -> cas(username[e],anchor,todo); result=(ok -> 0 : 16); todo=(ok -> todo : 0)
	:: true -> cas(username[e],anchor,todo); result=99; todo=0
#ifdef LATE
	:: late_lock==0 && !last -> late_lock=me; late_lock_from=anchor; late_lock_to=todo; result=99; todo=0
#endif
	fi; ok=false }
}

/* ---- deletion ---- */
inline move_out(e) {                    /* ModifyDN to cn=<id>,ou=pending; 389: whoever has the name */
	hit=(SERVER==3 -> ENTRY_AT(username[e]) : (place[e]==PEOPLE -> e : 0));
	if
	:: hit!=0 && !(place[e]==TRASH || misplaced!=0) ->
		if
		:: hit!=e ->
#ifdef NO_HOLD
			misplaced=hit;
#else
			assert(hit==e);         /* never another's entry */
#endif
			place[hit]=TRASH
		:: else -> place[hit]=TRASH
		fi
	:: else
	fi; hit=0
}
inline op_move_out(e) {
	atomic { LIVE ->
	if
	:: move_out(e); LEAVE
#ifdef LATE
	:: late_move==0 && !last -> late_move=e;
		if :: SERVER==3 -> if :: in_window&MYBIT -> in_window=in_window|LATE_BIT :: else fi;
			if :: held_for[KA]&MYBIT -> held_for[KA]=held_for[KA]|LATE_BIT :: else fi;
			if :: held_for[KB]&MYBIT -> held_for[KB]=held_for[KB]|LATE_BIT :: else fi;
			if :: held_for[KC]&MYBIT -> held_for[KC]=held_for[KC]|LATE_BIT :: else fi :: else fi; LEAVE; result=99
#endif
	fi }
}
inline op_delete(e) {                   /* Delete cn=<id>,ou=pending */
	atomic { LIVE ->
	if
	:: misplaced!=0 -> assert(!8)
	:: misplaced==0 && place[e]==TRASH -> place[e]=GONE
	:: else
	fi }
}
