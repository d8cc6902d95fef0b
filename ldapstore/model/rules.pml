/* rules.pml: what must hold after every operation. The numbers stand in the README. */
#define ONE_OWNER(k) (LIVES(1,k)+LIVES(2,k)+LIVES(3,k)+LIVES(6,k)+LIVES(7,k)+LIVES(8,k) <= 1)
#define HELD_BY(e,k) (((STATE(claim[k])==STATE_C || TAKEN(claim[k]) || STATE(claim[k])==STATE_X || STATE(claim[k])==STATE_D) && ID(claim[k])==(e)) || \
	(STATE(claim[k])==STATE_P && RUN(claim[k])==(e)))
#define OWN_CLAIMS(e) (!IN(committed,e) || (place[e]!=STAGED && place[e]!=PEOPLE) || \
	((!CARRIES(e,KA) || HELD_BY(e,KA)) && (!CARRIES(e,KB) || HELD_BY(e,KB)) && (!CARRIES(e,KC) || HELD_BY(e,KC)) && (!CARRIES(e,KD) || HELD_BY(e,KD))))
#define THERE(e) (!IN(acknowledged,e) || IN(deletion_asked,e) || misplaced==e || \
	(place[e]==PEOPLE && IN(usable,e) && password[e]==e && CARRIES(e,username[e])))
#define STAYS(e) (!IN(committed,e) || IN(deletion_asked,e) || misplaced==e || place[e]==STAGED || place[e]==PEOPLE)
#define SINGLE(a,b) (!(IN(committed,a) && IN(committed,b)) || IN(deletion_asked,a))

/* Somebody deletes the entry of account 1, without the protocol. */
#if USES(BY_HAND)
proctype Hand() { atomic { place[1]==PEOPLE && !stopped -> place[1]=GONE; deletion_asked=deletion_asked|BIT(1) } }
#endif

proctype Monitor() {
	do
	:: atomic { !(ONE_OWNER(KA) && ONE_OWNER(KB) && ONE_OWNER(KC) && ONE_OWNER(KD)) -> assert(!1) }
	:: atomic { !(OWN_CLAIMS(1) && OWN_CLAIMS(2) && OWN_CLAIMS(3) && OWN_CLAIMS(8)) -> assert(!2) }
	:: atomic { !(THERE(1) && THERE(2) && THERE(3) && THERE(6) && THERE(7) && THERE(8)) -> assert(!3) }
	:: atomic { !(STAYS(1) && STAYS(2) && STAYS(3)) -> assert(!4) }
	:: atomic { !(SINGLE(1,3) && SINGLE(1,6) && SINGLE(3,6) && SINGLE(2,7)) -> assert(!5) }
	:: atomic { (not_done & written)!=0 -> assert(!6) }
	:: atomic { deletion_answered && place[1]==PEOPLE -> assert(!7) }
	od
}
