/*
 * A sign-in by QR: Alice with her browser and her phone, an attacker with a browser and a phone, and the server.
 * README.md says what is modelled and what is not, and explains the properties and the switches.
 */

/* Requests that the server works on at the same time. */
#ifndef REQUESTS
#define REQUESTS 2
#endif
/* How often Alice's browser asks for a new code: 0 or 1. */
#ifndef RENEWALS
#define RENEWALS 0
#endif

/* Accounts. A phone has the number of its account. Alice's account for work is only ever used with a password. */
#define ALICE 0
#define ATTACKER 1
#define WORK 2
#define NO_ACCOUNT 3

/* Browsers. Each has one interaction, that is, one authorization request. */
#define HIS 0
#define HERS 1

/* Tickets: 0 of the attacker's browser; 1 of Alice's browser, then 2 after a renewal. */
#define TICKETS (2 + RENEWALS)
#define browserOf(ticket) (ticket > 0)

/* The other sources of a session. */
#define PASSKEY 3
#define PASSWORD 4
#define NOTHING 5

/* The conditions of the table in ticket.pml, for a request by the phone `who` for the ticket `t`. */
#ifdef NO_OWNER
#define owner true
#else
#define owner (who == seenOwner)
#endif
#define demanded interactions[browserOf(t)].subject
#define meets (demanded == NO_ACCOUNT || demanded == who)
#define takesOver (demanded == who && seenOwner != who)
#define lastTry (seenTries == 2)
/* Each ticket of the model is shown in a browser. */
#define offScreen false

#include "ticket.pml"

/* ---- the store ---- */

typedef Ticket {
  mtype:state state = none;
  byte approver = NO_ACCOUNT;   /* the phone that scanned */
  byte wrongTries;
  bit checkCode;    /* the digits have to be typed */
  bit typed;        /* claimed by its short code */
  bit isPast;       /* its deadline has passed; the store does not write that down */
  bit byReport      /* denied by a report */
}
Ticket tickets[TICKETS];

typedef Interaction {
  byte ticket;              /* the ticket that it shows */
  byte result = NOTHING;    /* the ticket that signs this browser in when it resumes, or PASSKEY */
  byte account = NO_ACCOUNT;    /* the account that it signs in */
  byte replaces = NO_ACCOUNT;   /* the account whose end its user was asked about */
  byte subject = NO_ACCOUNT;    /* the account that the request demands */
  bit isOver
}
Interaction interactions[2];

typedef Session {
  byte account = NO_ACCOUNT;
  byte from = NOTHING;
  bit isListed;             /* on the account's list of browsers */
  bit isDelivered           /* the browser has received the answer that signs it in */
}
Session sessions[2];

bit isRevoked[TICKETS];     /* by a report */
bit isSignedOut[TICKETS];   /* by "sign out all" */
bit isActive[2] = true;     /* the phone's session and its account are in order */
bit isKnown;                /* Alice's account trusts her browser */

/* ---- what Alice and the attacker know and want ---- */

bit hasOpened[TICKETS];     /* Alice has scanned this ticket: her phone shows its page */
bit isOverheard[TICKETS];   /* the attacker knows the digits of this ticket */
bit usedTab;                /* Alice has signed in to her account for work in another tab */

/* ---- ghost variables: only the properties read them ---- */

bit isMeant[TICKETS];         /* the owner of the account that approved meant this very browser */
byte firstScanner[TICKETS] = NO_ACCOUNT;
byte timesRedeemed[TICKETS];
byte timesSignedIn[TICKETS];
bit isTakenBack[TICKETS];     /* a report or "sign out all" has been answered */
byte agreedToLose = NO_ACCOUNT;   /* the account that Alice agreed to sign out of her browser */

#define ONLY_APPROVED 1
#define ONCE 2
#define ONLY_OWNER 3
#define TAKEN_BACK 4
#define ASKED 5
#define IN_ORDER 6
#define NO_STRANGER 7
#define GOAL 8

/* By default all properties are checked; with -DPROPERTY=<number> only one. GOAL is checked only if it is named. */
#ifdef PROPERTY
#define must(property, holds) assert(property != PROPERTY || (holds))
#else
#define must(property, holds) assert(property == GOAL || (holds))
#endif

/* ---- conditions, and the defences that a switch removes ---- */

#ifdef NO_BINDING
#define isBound true
#else
#define isBound (browserOf(t) == b)
#endif

#ifdef NO_CHECK_CODE
#define needsCheckCode false
#else
#define needsCheckCode (tickets[t].typed || !(isKnown && who == ALICE && browserOf(t) == HERS))
#endif

/* A record never returns to an earlier value, so equal values are equal versions. */
#ifdef NO_CAS
#define isUnchanged true
#else
#define isUnchanged (interactions[browserOf(t)].ticket == t && tickets[t].state == stored \
  && tickets[t].approver == seenOwner && tickets[t].wrongTries == seenTries)
#endif

#ifdef NO_ONCE
#define isFinishable (seen == approved || seen == redeemed)
#define isOpen true
#else
#define isFinishable (seen == approved)
#define isOpen (interactions[b].result == NOTHING && !interactions[b].isOver)
#endif

#ifdef NO_CHECK_AT_FINISH
#define isRefusedAtFinish false
#else
#define isRefusedAtFinish (!isActive[seenOwner] || isSignedOut[t])
#endif

#ifdef NO_CHECK_AT_RESUME
#define isRefusedAtResume false
#else
#define isRefusedAtResume (t != PASSKEY && (!isActive[who] || isRevoked[t] || isSignedOut[t]))
#endif

#ifdef NO_CHECK_AFTER_RESUME
#define isEndedAfterResume false
#else
#define isEndedAfterResume (isRevoked[t] || isSignedOut[t])
#endif

#define replacesAnother(newcomer) (sessions[b].account != NO_ACCOUNT && sessions[b].account != newcomer)
#ifdef NO_QUESTION
#define isAskedAtFinish false
#else
#define isAskedAtFinish replacesAnother(seenOwner)
#endif
#if defined(NO_QUESTION) || defined(NO_QUESTION_AT_RESUME)
#define isAskedAtResume false
#else
#define isAskedAtResume (replacesAnother(who) && sessions[b].account != interactions[b].replaces)
#endif

/* The relay: Alice scans the attacker's code, which a picture or a page of the attacker shows to her. */
#if defined(THIEF) || defined(PASSKEYS)
#define sees(ticket) (browserOf(ticket) == HERS)
#else
#define sees(ticket) true
#endif

/*
 * Alice's account may be used in enrolled browsers only, and her browser is enrolled: its key signs the code that it
 * shows and the approval that it finishes. The attacker's browser has no such key, even with all of her cookies.
 */
#ifdef ENROL_BY_PHONE
bit isAdded;    /* Alice's account has enrolled the attacker's browser */
#else
#define isAdded false
#endif
#if defined(ENROLLED) && !defined(NO_KEY)
#define isWithoutKey(account, browser) (account == ALICE && browser == HIS && !isAdded)
#else
#define isWithoutKey(account, browser) false
#endif

/* With a live relay, Alice also tells the attacker the digits that her phone shows. A thief of her phone reads them. */
#if defined(LIVE_RELAY)
#define isTold(ticket) (hasOpened[ticket] && tickets[ticket].approver == ALICE)
#elif defined(THIEF)
#define isTold(ticket) (tickets[ticket].approver == ALICE)
#else
#define isTold(ticket) false
#endif

/* A report of a ticket that has ended without a sign-in changes nothing, unless another ticket has replaced it. */
#define isReportable (tickets[t].state == scanned || tickets[t].state == approved || tickets[t].state == redeemed \
  || interactions[browserOf(t)].ticket != t)

/* ---- one request: it reads a ticket, applies a transition, and swaps if the ticket is unchanged ---- */

inline read() {
  stored = tickets[t].state;
  seen = stored;
  if
  :: tickets[t].isPast -> seen = expired
  :: else
  fi;
  seenOwner = tickets[t].approver;
  seenTries = tickets[t].wrongTries
}

/* Resets values that no later step reads, so that there are fewer states. */
inline forgetDigits() {
  tickets[t].checkCode = false;
  tickets[t].typed = false;
  tickets[t].wrongTries = 0;
  hasOpened[t] = false;
  isOverheard[t] = false
}

inline forgetScan() {
  firstScanner[t] = NO_ACCOUNT;
  isMeant[t] = false;
  isSignedOut[t] = false;
  isTakenBack[t] = false;
  /* The owner of a replaced ticket can still report it. */
  if
  :: doing == endReplaced
  :: else -> tickets[t].approver = NO_ACCOUNT
  fi
}

inline swap() {
  if
  :: next != notAllowed && isUnchanged ->
    isChanged = true;
    must(ONLY_OWNER, (doing != approve && doing != deny && doing != report) || firstScanner[t] == who);
    tickets[t].state = next;
    tickets[t].isPast = false;
    if
    :: next != scanned && next != approved -> forgetDigits()
    :: else
    fi;
    if
    :: doing == scan || doing == scanTyped ->
      tickets[t].approver = who;
      tickets[t].typed = (doing == scanTyped);
      if
      :: firstScanner[t] == NO_ACCOUNT || takesOver -> firstScanner[t] = who
      :: else
      fi
    :: doing == approve -> tickets[t].approver = who; tickets[t].checkCode = needsCheckCode
    :: doing == redeem -> tickets[t].approver = seenOwner
    :: doing == refuseCheckCode -> tickets[t].wrongTries = seenTries + 1
    :: doing == report || doing == reportNext -> tickets[t].approver = who; tickets[t].byReport = true
    :: else
    fi;
    if
    :: next == denied || next == cancelled -> forgetScan()
    :: else
    fi
  :: else
  fi
}

/* Ends the sessions on the list that came out of this ticket. */
inline endListedSession() {
  b = browserOf(t);
  do
  :: b < 2 ->
    if
    :: sessions[b].from == t && sessions[b].isListed -> endSession()
    :: else
    fi;
    b++
  :: else -> break
  od
}

inline endSession() {
  sessions[b].account = NO_ACCOUNT;
  sessions[b].from = NOTHING;
  sessions[b].isListed = false;
  sessions[b].isDelivered = false
}

inline endInteraction() {
  interactions[b].result = NOTHING;
  interactions[b].account = NO_ACCOUNT;
  interactions[b].replaces = NO_ACCOUNT;
  interactions[b].isOver = true
}

#define isSignedInFrom(browser, ticket) (sessions[browser].isDelivered && sessions[browser].from == ticket)

inline answerTakenBack() {
  isTakenBack[t] = true;
  must(TAKEN_BACK, !isSignedInFrom(HIS, t) && !isSignedInFrom(HERS, t))
}

/* Forgets the request, so that states that differ only in an answered request are the same state. */
inline forget() {
  doing = 0; stored = 0; seen = 0; next = 0;
  t = 0; b = 0; who = 0; seenOwner = 0; seenTries = 0; lost = 0; mine = 0;
  isChanged = false; isByThief = false; isTyping = false; isLate = false
}

inline chooseBrowser() {
  if
  :: b = HIS
  :: b = HERS
  fi
}

inline chooseTicket() {
  if
  :: tickets[0].state != none -> t = 0
  :: tickets[1].state != none -> t = 1
#if RENEWALS > 0
  :: tickets[2].state != none -> t = 2
#endif
  fi
}

proctype request() {
  mtype:act doing;
  mtype:state stored, seen, next;
  byte t, b, who, seenOwner, seenTries, lost, mine;
  bit isChanged, isByThief, isTyping, isLate;

end:
  do
#ifndef PLAIN
  /* A deadline passes. */
  :: atomic {
      chooseTicket();
      doing = expire;
      read();
      transition();
      if
      :: next == expired -> tickets[t].isPast = true
      :: else
      fi;
      forget()
    }

  /* Alice signs in to her account for work in another tab, with its password. */
  :: atomic {
      !usedTab && tickets[1].state != none ->
      usedTab = true;
      b = HERS;
      endSession();
      sessions[b].account = WORK;
      sessions[b].from = PASSWORD;
      forget()
    }
#endif

  /* A phone scans or decides. The attacker's phone tries everything. Alice scans what she sees, then decides. */
  :: atomic {
      if
      :: isActive[ALICE] -> who = ALICE
      :: isActive[ATTACKER] -> who = ATTACKER
#ifdef THIEF
      :: isActive[ALICE] -> who = ALICE; isByThief = true
#endif
      fi;
      chooseTicket();
      if
      :: doing = scan
      :: doing = scanTyped
      :: doing = approve
      :: doing = deny
      :: doing = forbid
      :: doing = block
      :: doing = giveUp
      fi;
      if
      :: who == ALICE && !isByThief && (doing == scan || doing == scanTyped) && !sees(t) -> next = notAllowed
      :: who == ALICE && !isByThief && doing != scan && doing != scanTyped && !hasOpened[t] -> next = notAllowed
#ifdef GUARD
      :: isByThief && doing == approve -> next = notAllowed
#endif
      :: doing == approve && isWithoutKey(who, browserOf(t)) -> next = notAllowed
      :: else -> read(); transition(); seen = 0
      fi;
      if
      :: next == notAllowed -> forget(); goto end
      :: next == denied -> doing = deny
      :: else
      fi
    }
    atomic {
      swap();
      if
      :: isChanged && (doing == scan || doing == scanTyped) ->
        hasOpened[t] = hasOpened[t] || (who == ALICE && !isByThief)
      :: isChanged && doing != scan && doing != scanTyped ->
        if
        :: doing == approve -> isMeant[t] = !isByThief && !(who == ALICE && browserOf(t) == HIS)
        :: else
        fi
      :: else
      fi;
      forget()
    }

  /* A phone reports a ticket that it scanned. The report also meets the ticket that has replaced it meanwhile. */
  :: atomic {
      if
      :: isActive[ALICE] -> who = ALICE
      :: isActive[ATTACKER] -> who = ATTACKER
      fi;
      chooseTicket();
      if
      :: tickets[t].approver == who && !isTakenBack[t] && isReportable -> mine = t
      :: else -> forget(); goto end
      fi
    }
    again: atomic {
      t = interactions[browserOf(mine)].ticket;
      read();
      if
      :: seen == waiting -> doing = reportNext
      :: else -> doing = report
      fi;
      transition()
    }
    atomic {
      if
      :: next == notAllowed -> skip
      :: else ->
        swap();
        if
        :: !isChanged -> goto again
        :: else
        fi
      fi
    }
    atomic {
      mine = (seenOwner == who -> t : mine);
#ifndef NO_REPORT_AFTER_FINISH
      isRevoked[mine] = true
#endif
    }
#ifndef NO_REPORT_AFTER_FINISH
    atomic { t = mine; endListedSession() }
#endif
    atomic { t = mine; answerTakenBack(); forget() }

  /* A phone signs out all browsers of its account. */
  :: atomic {
      if
      :: isActive[ALICE] -> who = ALICE
      :: isActive[ATTACKER] -> who = ATTACKER
      fi;
      t = 0;
      do
      :: t < TICKETS ->
        if
        :: tickets[t].approver == who && (tickets[t].state == approved || tickets[t].state == redeemed) ->
          isSignedOut[t] = true;
          mine = mine | (1 << t)
        :: else
        fi;
        t++
      :: else -> break
      od;
      if
      :: mine == 0 -> forget(); goto end
      :: else
      fi
    }
    atomic {
      t = 0;
      do
      :: t < TICKETS ->
        if
        :: tickets[t].approver == who -> endListedSession()
        :: else
        fi;
        t++
      :: else -> break
      od
    }
    atomic {
      t = 0;
      do
      :: t < TICKETS ->
        if
        :: mine & (1 << t) -> answerTakenBack()
        :: else
        fi;
        t++
      :: else -> break
      od;
      forget()
    }

  /* A phone is signed out, or its account is disabled. */
  :: atomic { isActive[ALICE] -> isActive[ALICE] = false }

  /* A browser cancels. The attacker's browser also tries that for Alice's interaction. */
  :: atomic {
      chooseBrowser();
      chooseTicket();
      doing = cancel;
      read();
      transition();
      seen = 0;
      if
      :: next == notAllowed || !isBound || (b == HERS && interactions[b].ticket != t) -> forget(); goto end
      :: else -> b = 0
      fi
    }
    atomic { swap(); forget() }

#if RENEWALS > 0
  /* Alice's browser asks for a new code. A ticket that was reported or redeemed stays. */
  :: atomic {
      interactions[HERS].ticket == 1 && interactions[HERS].result == NOTHING && !interactions[HERS].isOver ->
      t = 1;
      doing = endReplaced;
      read();
      transition();
      if
      :: seen == redeemed || tickets[t].byReport -> forget(); goto end
      :: next == notAllowed -> next = seen
      :: else
      fi
    }
    atomic {
      swap();
      if
      :: isChanged ->
        t = 2;
        doing = show_;
        seen = none;
        transition();
        tickets[t].state = next;
        interactions[HERS].ticket = t
      :: else
      fi;
      forget()
    }
#endif

  /* A browser finishes. Alice types the digits that her phone shows. The attacker guesses, or types what he knows. */
  :: atomic {
      chooseBrowser();
      chooseTicket();
      if
      :: isOpen && (b == HIS || interactions[b].ticket == t) -> read()
      :: else -> forget(); goto end
      fi;
      who = seenOwner;
      if
      :: isFinishable && isBound && !isRefusedAtFinish && !isWithoutKey(seenOwner, b) -> isLate = !isActive[seenOwner]
      :: else -> forget(); goto end
      fi;
      if
      :: isAskedAtFinish -> if
        :: b == HERS -> agreedToLose = sessions[b].account
        :: forget(); goto end
        fi
      :: else
      fi;
      lost = sessions[b].account;
      seen = approved;
      if
      :: stored == approved -> doing = outdate
      :: !tickets[t].checkCode -> doing = redeem
      :: tickets[t].checkCode -> doing = refuseCheckCode
      :: tickets[t].checkCode && b == HERS && hasOpened[t] && seenOwner == ALICE ->
        doing = redeem;
        isOverheard[t] = true
      :: tickets[t].checkCode && b == HIS && (seenOwner == ATTACKER || isOverheard[t] || isTold(t)) -> doing = redeem
      fi;
      transition();
      seen = 0
    }
    atomic {
      swap();
      if
      :: isChanged && doing == redeem ->
        interactions[b].result = t;
        interactions[b].account = seenOwner;
        interactions[b].replaces = lost;
        timesRedeemed[t]++;
#ifdef NO_TIME_OF_APPROVAL
        isSignedOut[t] = false;
#endif
        must(ONCE, timesRedeemed[t] == 1);
        must(IN_ORDER, !isLate)
      :: else
      fi;
      forget()
    }

#ifdef ENROL_BY_PHONE
  /*
   * The attacker's browser asks to be enrolled. Alice takes that for a request of her own browser: she approves it with
   * her passkey, and tells the attacker the digits.
   */
  :: atomic {
      isActive[ALICE] && !isAdded -> isAdded = true; forget()
    }
#endif

#ifdef PASSKEYS
  /* Alice uses her passkey: at her browser, or at a page of the attacker, who relays the answer to his browser. */
  :: atomic {
      chooseBrowser();
#ifndef NO_ORIGIN
      /* Her browser signs for the origin of the page. The server accepts only its own origin. */
      if
      :: b == HERS
      :: b == HIS -> forget(); goto end
      fi;
#endif
      if
      :: interactions[b].result != NOTHING || interactions[b].isOver -> forget(); goto end
      :: else
      fi;
      seenOwner = ALICE;
      if
      :: isAskedAtFinish -> if
        :: agreedToLose = sessions[b].account
        :: forget(); goto end
        fi
      :: else
      fi;
      lost = sessions[b].account;
      t = interactions[b].ticket;
      doing = cancel;
      read();
      transition()
    }
    atomic {
      swap();
      if
      :: (isChanged || next == notAllowed) && !tickets[t].byReport && tickets[t].state != redeemed ->
        interactions[b].result = PASSKEY;
        interactions[b].account = ALICE;
        interactions[b].replaces = lost
      :: else
      fi;
      forget()
    }
#endif

  /* A browser resumes: the checks, the session, the list, the checks again, the answer. */
  :: atomic {
      chooseBrowser();
      t = interactions[b].result;
      if
      :: t == NOTHING -> forget(); goto end
      :: else -> who = interactions[b].account; isLate = !isActive[who]
      fi;
      if
      :: isRefusedAtResume -> endInteraction(); forget(); goto end
      :: else
      fi
    }
    atomic {
      if
      :: interactions[b].result != t -> forget(); goto end
      :: else
      fi;
      if
      :: isAskedAtResume -> if
        :: agreedToLose = sessions[b].account
        :: endInteraction(); forget(); goto end
        fi
      :: else
      fi;
      must(ASKED, b == HIS || !replacesAnother(who) || sessions[b].account == agreedToLose);
      if
      :: t == PASSKEY -> must(ONLY_APPROVED, b == HERS)
      :: else ->
        must(ONLY_APPROVED, isMeant[t] && browserOf(t) == b);
        must(NO_STRANGER, b != HERS || who != ATTACKER);
        must(IN_ORDER, !isLate);
        timesSignedIn[t]++;
        must(ONCE, timesSignedIn[t] == 1)
      fi;
      endInteraction();
      endSession();
      sessions[b].account = who;
      sessions[b].from = t
    }
    if
    :: t == PASSKEY
    :: t != PASSKEY ->
      atomic {
        if
        :: sessions[b].from == t -> sessions[b].isListed = true
        :: else
        fi
      }
      atomic {
        if
        :: sessions[b].from == t && isEndedAfterResume -> endSession()
        :: else
        fi
      }
    fi;
    atomic {
      if
      :: sessions[b].from == t ->
        sessions[b].isDelivered = true;
        must(TAKEN_BACK, t == PASSKEY || !isTakenBack[t]);
        must(GOAL, b != HERS || who != ALICE)
      :: else
      fi;
      forget()
    }
  od
}

init {
  atomic {
    mtype:act doing = show_;
    mtype:state seen = none, next;
    byte t, who, seenOwner, seenTries, requests;
#ifndef PLAIN
    if
#ifndef RELAY
    :: isKnown = true
#endif
    :: skip
    fi;
    if
    :: interactions[HERS].subject = ALICE
    :: skip
    fi;
    if
    :: interactions[HIS].subject = ALICE
    :: skip
    fi;
#endif
    transition();
#ifndef ONLOOKER
    tickets[0].state = next;
#endif
#ifndef RELAY
    tickets[1].state = next;
#endif
    interactions[HIS].ticket = 0;
    interactions[HERS].ticket = 1;
    do
    :: requests < REQUESTS -> run request(); requests++
    :: else -> break
    od
  }
}
