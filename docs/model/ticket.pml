/*
 * The life of one ticket: the states of src/ticket/ticket.ts and the transitions of src/ticket/transitions.ts, by the
 * same names. `show_` has an underscore because `show` is a word of Promela. test/model compares this table with the
 * functions, in every state.
 */

mtype:state = { none, waiting, scanned, approved, denied, redeemed, cancelled, expired };

mtype:act = {
  show_, putOnScreen, awaitSignIn, scan, scanTyped, approve, deny, report, reportNext, forbid, block, giveUp, outdate,
  redeem, demandCheckCode, refuseCheckCode, cancel, endReplaced, expire
};

/*
 * The conditions:
 *   owner      the phone's account and session scanned the ticket
 *   meets      the phone's account is the one that the request demands, or the request demands none
 *   takesOver  the request demands this phone's account, and another account has scanned
 *   lastTry    two check codes were wrong already
 *   offScreen  no browser shows the ticket yet: an action whose page was not opened
 *
 *     act              before     after      condition
 */
#define TRANSITIONS \
  STEP(show_,           none,      waiting,   true) \
  STEP(putOnScreen,     waiting,   waiting,   offScreen) \
  STEP(awaitSignIn,     waiting,   waiting,   true) \
  STEP(scan,            waiting,   scanned,   !offScreen) \
  STEP(scan,            scanned,   scanned,   takesOver) \
  STEP(scanTyped,       waiting,   scanned,   !offScreen) \
  STEP(scanTyped,       scanned,   scanned,   takesOver) \
  STEP(approve,         scanned,   approved,  owner && meets) \
  STEP(deny,            scanned,   denied,    owner) \
  STEP(report,          scanned,   denied,    owner) \
  STEP(report,          approved,  denied,    owner) \
  STEP(reportNext,      waiting,   denied,    true) \
  STEP(forbid,          scanned,   denied,    owner) \
  STEP(block,           scanned,   denied,    owner) \
  STEP(giveUp,          scanned,   denied,    owner && !meets) \
  STEP(outdate,         approved,  denied,    true) \
  STEP(redeem,          approved,  redeemed,  true) \
  STEP(demandCheckCode, approved,  approved,  true) \
  STEP(refuseCheckCode, approved,  approved,  !lastTry) \
  STEP(refuseCheckCode, approved,  cancelled, lastTry) \
  STEP(cancel,          waiting,   cancelled, true) \
  STEP(cancel,          scanned,   cancelled, true) \
  STEP(cancel,          approved,  cancelled, true) \
  STEP(endReplaced,     waiting,   cancelled, true) \
  STEP(endReplaced,     scanned,   cancelled, true) \
  STEP(endReplaced,     approved,  cancelled, true) \
  STEP(endReplaced,     expired,   cancelled, true) \
  STEP(expire,          waiting,   expired,   true) \
  STEP(expire,          scanned,   expired,   true) \
  STEP(expire,          approved,  expired,   true)

/* No two rows fit the same step, so the sum is the state after it, or 0 if the act is not allowed. */
#define STEP(act, before, after, condition) + (doing == act && seen == before && (condition)) * after
#define notAllowed 0

/* Applies the act `doing` to a ticket that was `seen` in a state. The result is `next`. */
inline transition() {
  next = notAllowed TRANSITIONS
}
