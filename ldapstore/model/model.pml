/* model.pml: the claim protocol, for spin. README.md says what is claimed.
 *
 * -DSCENARIO=NAME    who acts (scenario.pml)
 * -DSERVER=1|2|3     OpenLDAP; AD: writes and moves by identity; 389: a ModifyDN hits whoever has the name
 * -DUNIQUE           the server refuses a staged entry whose values another entry has
 * -DREFUSE=n         any n entry writes, anybody's, are refused for good
 * -DREFUSES_FOR_EVER the server refuses KC, and to drop anything, for ever, or not
 * -DLATE             what is not answered may happen later
 * -DHOLD_FOR_EVER    the hold of a dropped identifier does not end, and nobody else may get it
 * -DNO_HOLD          there is none
 * -DFINISHERS=0|1    at most so many of the scenario's finishers
 * -DUSERNAME=KB      in scenarios that begin with a committed creation: the username is not its primary
 * -DBUG_...          one rule broken: a search must find it
 */
#ifndef SERVER
#define SERVER 1
#endif
#include "scenario.pml"
#include "claim.pml"
#include "directory.pml"
#include "operations.pml"
#include "late.pml"
#include "rules.pml"
#include "finish.pml"
#include "finish_change.pml"
#include "finish_drop.pml"
#include "take.pml"
#include "create.pml"
#include "change.pml"
#include "drop.pml"
#include "delete.pml"
#include "janitor.pml"
#include "last.pml"
#include "init.pml"
