/* init.pml: the processes of each scenario. */
#ifndef USERNAME
#define USERNAME KA                     /* KB: the username is not the primary of the creation */
#endif
#if defined(LATE) && !USES(EXCHANGES|DROPS|DELETES)
#define CREATE(r,k1,k2,user) RUN_IS(r,k1,k2,user); run Create(r,k1,k2,false); run FlightOf(r,k1)
#else
#define CREATE(r,k1,k2,user) RUN_IS(r,k1,k2,user); run Create(r,k1,k2,false)
#endif
#define EXCHANGE(r,from,to) primary[r]=to; olds[r]=from; other[r]=NOKEY; username[r]=NOKEY; run Change(r,1,from,to)
#define ADD(r,to) EXCHANGE(r,NOKEY,to)
#define DROP(r,from) primary[r]=NOKEY; olds[r]=from; other[r]=NOKEY; username[r]=NOKEY; run Drop(r,1,from)
#ifndef FINISHERS
#define FINISHERS 2
#endif
#if FINISHERS>=1
#define FINISH(k) run Finisher(k)
#else
#define FINISH(k) skip
#endif
#if FINISHERS>=2
#define FINISH_TOO(k) run Finisher(k)
#else
#define FINISH_TOO(k) skip
#endif
#define ACCOUNT place[1]=PEOPLE; mark[1]=1; values[1]=BIT(KA)|BIT(KB); password[1]=1; committed=BIT(1); acknowledged=BIT(1); usable=BIT(1)
inline account() {                      /* whole: username KA, alias KB */
	RUN_IS(1,KA,KB,KA); ACCOUNT; claim[KA]=A_(1,1); claim[KB]=A_(1,1)
}
inline account_of_three() {             /* one more alias, KD */
	account(); values[1]=BIT(KA)|BIT(KB)|BIT(KD); claim[KD]=A_(1,1)
}
inline left_committed() {               /* committed and left */
	RUN_IS(1,KA,KB,USERNAME); place[1]=STAGED; mark[1]=1; values[1]=BIT(KA)|BIT(KB); password[1]=1; committed=BIT(1);
	if :: SERVER==1 -> usable=BIT(1) :: else fi;
	claim[KA]=C_(1,1); claim[KB]=P_(1,KA)
}

init { atomic {
	run Monitor();
#if defined(LATE) && USES(EXCHANGES|DROPS|DELETES)
	run Flight();
#endif
#ifdef REFUSES_FOR_EVER
	if :: refuses_new=true :: refuses_new=false fi;
#endif
	primary[1]=NOKEY; primary[2]=NOKEY; primary[3]=NOKEY; username[0]=NOKEY;
#if SCENARIO==TWO_PEOPLE
	CREATE(1,KA,KB,KA); CREATE(2,KA,KB,KB); run Janitor();
#elif SCENARIO==CROSSED_PAIRS
	CREATE(1,KA,KB,KA); CREATE(2,KB,KC,KC); run Janitor();
#elif SCENARIO==SECOND_SHARED
	CREATE(1,KA,KC,KA); CREATE(2,KB,KC,KC); run Janitor();
#elif SCENARIO==ATTEMPT_TWICE
	CREATE(1,KA,KB,KA); CREATE(3,KA,KB,KA); run Janitor();
#elif SCENARIO==ATTEMPT_AND_STRANGER
	CREATE(1,KA,KB,KA); CREATE(3,KA,KB,KA); CREATE(2,KB,NOKEY,KB);
#elif SCENARIO==COMMITTED_LEFT
	left_committed(); FINISH(KA); FINISH_TOO(KB); CREATE(2,KA,KB,KA);
#elif SCENARIO==RESOLVE
	CREATE(1,KA,KB,KA); run Resolve(KA,KB); CREATE(2,KA,KB,KB);
#elif SCENARIO==RESOLVE_TWICE
	CREATE(1,KA,KB,KA); CREATE(3,KA,KB,KA); run Resolve(KA,KB);
#elif SCENARIO==RESOLVE_ALONE
	CREATE(1,KA,KB,KA); run Resolve(KA,KB);
#elif SCENARIO==THERE_AND_BACK
	account(); EXCHANGE(4,KB,KC); EXCHANGE(5,KC,KB); FINISH(KC);
#elif SCENARIO==THERE_AND_BACK_WANTED
	account(); EXCHANGE(4,KB,KC); EXCHANGE(5,KC,KB); CREATE(2,KB,NOKEY,KB);
#elif SCENARIO==TWO_EXCHANGES
	account(); EXCHANGE(4,KB,KC); EXCHANGE(5,KB,KD); FINISH(KC);
#elif SCENARIO==TWO_AND_BACK
	account(); EXCHANGE(4,KB,KC); EXCHANGE(5,KB,KD); EXCHANGE(9,KD,KB);
#elif SCENARIO==EXCHANGE_AND_DELETE
	account(); EXCHANGE(4,KB,KC); run Delete(1); FINISH(KC);
#elif SCENARIO==EXCHANGE_REFUSED
	account(); EXCHANGE(4,KB,KC); FINISH(KC); FINISH_TOO(KC);
#elif SCENARIO==EXCHANGE_REFUSED_AGAIN
	account(); EXCHANGE(4,KB,KC); FINISH(KC); EXCHANGE(5,KB,KD);
#elif SCENARIO==EXCHANGE_JANITOR
	account(); EXCHANGE(4,KB,KC); EXCHANGE(5,KB,KD); run Janitor();
#elif SCENARIO==ADD_AND_EXCHANGE
	account(); EXCHANGE(4,KB,KC); ADD(5,KB); FINISH(KC);
#elif SCENARIO==ADD_AND_DELETE
	account(); ADD(4,KC); run Delete(1); FINISH(KC);
#elif SCENARIO==ADD_REFUSED
	account(); ADD(4,KC); FINISH(KC); FINISH_TOO(KC);
#elif SCENARIO==ADD_WANTED
	account(); ADD(4,KC); FINISH(KC); CREATE(2,KC,NOKEY,KC);
#elif SCENARIO==TWO_ADDS
	account(); ADD(4,KC); ADD(5,KD); FINISH(KC);
#elif SCENARIO==ADD_DROP
	account(); ADD(4,KC); DROP(5,KC); FINISH(KC);
#elif SCENARIO==ADD_DROP_ADD
	account(); ADD(4,KC); DROP(5,KC); ADD(9,KC);
#elif SCENARIO==ADD_AFTER_CREATE
	left_committed(); ADD(4,KC); FINISH(KA);
#elif SCENARIO==DROP_AND_ADD
	account(); DROP(4,KB); ADD(5,KB); FINISH(KA);
#elif SCENARIO==DROP_AND_DELETE
	account(); DROP(4,KB); run Delete(1); FINISH(KA);
#elif SCENARIO==DROP_REFUSED
	account(); DROP(4,KB); FINISH(KA); FINISH_TOO(KA);
#elif SCENARIO==DROP_WANTED
	account(); DROP(4,KB); FINISH(KA); CREATE(2,KB,NOKEY,KB);
#elif SCENARIO==DROP_AND_EXCHANGE
	account(); DROP(4,KB); EXCHANGE(5,KB,KC); FINISH(KA);
#elif SCENARIO==TWO_DROPS
	account(); DROP(4,KB); DROP(5,KB); FINISH(KA);
#elif SCENARIO==DROP_OTHER
	account_of_three(); DROP(4,KD); EXCHANGE(5,KB,KC); FINISH(KC);
#elif SCENARIO==DROP_RETRIED
	account(); DROP(4,KB); DROP(5,KB); FINISH(KA);
#elif SCENARIO==DROP_AFTER_CREATE
	left_committed(); DROP(4,(USERNAME==KA -> KB : KA)); FINISH(KA);
#elif SCENARIO==DROP_JANITOR
	account(); DROP(4,KB); ADD(5,KB); run Janitor();
#elif SCENARIO==DROP_ADD_WANTED
	account(); DROP(4,KB); ADD(5,KB); CREATE(2,KB,NOKEY,KB);
#elif SCENARIO==DROP_DELETE_JANITOR
	account(); DROP(4,KB); run Delete(1); run Janitor();
#elif SCENARIO==DROP_DELETE_WANTED
	account(); DROP(4,KB); run Delete(1); CREATE(2,KA,NOKEY,KA);
#elif SCENARIO==DROP_EXCHANGE_DELETE
	account(); DROP(4,KB); EXCHANGE(5,KB,KC); run Delete(1);
#elif SCENARIO==ADD_DROP_DELETE
	account(); ADD(4,KC); DROP(5,KB); run Delete(1);
#elif SCENARIO==DROP_BY_HAND
	account(); DROP(4,KB); run Hand(); FINISH(KA);
#elif SCENARIO==ADD_RETRIED
	account(); ADD(4,KC); ADD(5,KC); FINISH(KC);
#elif SCENARIO==EXCHANGE_RETRIED
	account(); EXCHANGE(4,KB,KC); EXCHANGE(5,KB,KC); FINISH(KC);
#elif SCENARIO==ADD_BY_HAND
	account(); ADD(4,KC); run Hand(); FINISH(KC);
#elif SCENARIO==EXCHANGE_BY_HAND
	account(); EXCHANGE(4,KB,KC); run Hand(); FINISH(KC);
#elif SCENARIO==DELETE_LATE_FINISHER
	left_committed(); FINISH(KA); run Delete(1); CREATE(2,USERNAME,NOKEY,USERNAME);
#elif SCENARIO==DELETE_TWICE
	account(); run Delete(1); run Delete(1); CREATE(2,KA,KB,KA);
#elif SCENARIO==DELETE_TWICE_JANITOR
	account(); run Delete(1); run Delete(1); run Janitor();
#elif SCENARIO==DELETE_JANITOR
	left_committed(); run Delete(1); run Janitor(); CREATE(2,USERNAME,NOKEY,USERNAME);
#else
#error no such SCENARIO
#endif
	run Last()
} }
