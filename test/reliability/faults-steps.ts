/** Defines the steps of a sign-in. Each sends one or a few requests, and checks the answers. */
import type { Answer } from '../support/agent.ts';
import type { State } from './faults.ts';
import type { Journey, Outcome } from './faults-journey.ts';

export interface Step {
  readonly what: string;
  readonly who: 'browser' | 'phone';
  /** The effect on the ticket: none (`looking`), a change, or only a change of oidc-provider's records. */
  readonly does: 'looking' | 'changing' | 'records';
  readonly take: (journey: Journey) => Promise<Outcome>;
}

const SEEN_BY_BROWSER: Readonly<Record<State, readonly string[]>> = {
  waiting: ['waiting', 'scanned'],
  scanned: ['scanned', 'approved'],
  approved: ['approved', 'redeemed'],
  'approved with a check code': ['approved', 'redeemed'],
  redeemed: ['redeemed'],
  denied: ['denied'],
  expired: ['expired', 'waiting'],
  'renewed after a scan': ['waiting'],
};

const ticket: Step = {
  what: 'the ticket at the browser',
  who: 'browser',
  does: 'looking',
  take: (journey) => {
    const { browser, state } = journey;
    const isRight = (answer: Answer): boolean =>
      answer.status === 200 && SEEN_BY_BROWSER[state].includes(`${answer.json().state}`);
    return journey.ask(ticket.what, () => browser.agent.get(`${browser.at}/qr`), isRight);
  },
};

const page: Step = {
  what: 'the page at the browser',
  who: 'browser',
  does: 'looking',
  take: (journey) =>
    journey.ask(
      page.what,
      () => journey.page(),
      // The browser is redirected if the redeemed or denied ticket has a result.
      ({ status, text }) => status === 303 || (status === 200 && text.includes('data-qr-login')),
    ),
};

const phonePage: Step = {
  what: 'the ticket on the phone',
  who: 'phone',
  does: 'looking',
  take: (journey) =>
    journey.ask(
      phonePage.what,
      () => journey.phone.look(),
      (answer) =>
        journey.state === 'renewed after a scan'
          ? answer.status === 410
          : journey.isOwn(answer, ...SEEN_BY_BROWSER[journey.state]),
    ),
};

const lateApproval: Step = {
  what: 'Approve for a ticket that was renewed',
  who: 'phone',
  does: 'looking',
  take: (journey) =>
    journey.ask(
      lateApproval.what,
      () => journey.phone.decide('approve'),
      ({ status }) => status === 410,
    ),
};

const renew: Step = {
  what: 'a new code',
  who: 'browser',
  does: 'changing',
  take: async (journey) => {
    const { browser } = journey;
    return journey.ask(
      renew.what,
      () => browser.post(`${browser.at}/qr/renew`, {}),
      (answer) => {
        if (answer.status !== 200) return false;
        const { state, qr } = answer.json() as { state: string; qr: { url: string } };
        journey.code = qr.url;
        return state === 'waiting';
      },
    );
  },
};

const scan: Step = {
  what: 'the scan',
  who: 'phone',
  does: 'changing',
  take: (journey) =>
    journey.ask(
      scan.what,
      () => journey.phone.scan(journey.code),
      (answer) => journey.isOwn(answer, 'scanned'),
    ),
};

const approve: Step = {
  what: 'Approve',
  who: 'phone',
  does: 'changing',
  take: (journey) =>
    journey.ask(
      approve.what,
      () => decide(journey, 'approve'),
      (answer) => {
        if (!journey.isOwn(answer, 'approved')) return false;
        const { checkCode } = answer.json();
        journey.checkCode = typeof checkCode === 'string' ? checkCode : undefined;
        return (checkCode !== undefined) === (journey.state === 'approved with a check code');
      },
    ),
};

const deny: Step = {
  what: 'Deny',
  who: 'phone',
  does: 'changing',
  take: (journey) =>
    journey.ask(
      deny.what,
      () => decide(journey, 'deny'),
      (answer) => journey.isOwn(answer, 'denied'),
    ),
};

const finish: Step = {
  what: 'finish',
  who: 'browser',
  does: 'changing',
  take: (journey) =>
    journey.ask(finish.what, () => journey.browser.finish(journey.checkCode), leadsOn(journey, '/auth/')),
};

/** Finishes a denied ticket. The ticket stays denied, so only oidc-provider's records change. */
const finishDenied: Step = { ...finish, does: 'records' };

const resume: Step = {
  what: 'the return of the browser to the provider',
  who: 'browser',
  does: 'records',
  take: (journey) =>
    journey.ask(
      resume.what,
      () => journey.browser.agent.get(journey.next),
      ({ status, location }) => {
        if (status !== 303 || location === '') return false;
        journey.goTo(location);
        journey.hasLeft = true;
        journey.got = new URL(journey.next).searchParams.get('error') ?? undefined;
        return true;
      },
    ),
};

const consentPage: Step = {
  what: 'the consent page',
  who: 'browser',
  does: 'looking',
  take: (journey) =>
    journey.ask(
      consentPage.what,
      () => journey.browser.agent.get(journey.next),
      ({ status, text }) => status === 200 && text.includes(`${new URL(journey.next).pathname}/consent`),
    ),
};

const consent: Step = {
  what: 'consent',
  who: 'browser',
  does: 'records',
  take: (journey) =>
    journey.ask(consent.what, () => journey.browser.post(`${journey.next}/consent`, {}), leadsOn(journey, '/auth/')),
};

const exchange: Step = {
  what: 'the tokens',
  who: 'browser',
  does: 'records',
  take: async (journey) => {
    try {
      journey.got = (await journey.browser.exchange(journey.next)).claims()?.sub;
      return 'answer';
    } catch (error) {
      if (error instanceof Error && 'status' in error && error.status === 503) return 'try again';
      unlessNoConnection(error);
      return 'no connection';
    }
  },
};

const TO_RP = [resume, consentPage, consent, resume, exchange];
const FROM_APPROVED = [finish, ...TO_RP];
const FROM_SCANNED = [approve, ...FROM_APPROVED];
const FROM_WAITING = [scan, ...FROM_SCANNED];

/** The remaining steps in each state. */
export const STEPS_FROM: Readonly<Record<State, readonly Step[]>> = {
  waiting: FROM_WAITING,
  scanned: FROM_SCANNED,
  approved: FROM_APPROVED,
  'approved with a check code': FROM_APPROVED,
  redeemed: TO_RP,
  denied: [finishDenied, resume],
  expired: [renew, ...FROM_WAITING],
  'renewed after a scan': [lateApproval, ...FROM_WAITING],
};

export const STEPS: Readonly<Record<'ticket' | 'page' | 'scan' | 'approve' | 'deny' | 'finish' | 'renew', Step>> = {
  ticket,
  page,
  scan,
  approve,
  deny,
  finish,
  renew,
};

/**
 * Returns the steps that look at a ticket. The page of an expired ticket is left out, because loading it makes a new
 * ticket.
 */
export function looksIn(state: State): Step[] {
  if (state === 'expired') return [ticket];
  return state === 'waiting' ? [ticket, page] : [ticket, page, phonePage];
}

/** Swallows an error if no connection was made or the connection broke. @throws the error otherwise */
export function unlessNoConnection(error: unknown): undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && /^(ECONNREFUSED|ECONNRESET|EPIPE|UND_ERR_SOCKET)$/.test(`${cause.code}`)) return;
  }
  throw error;
}

/** Sends a decision. If an earlier try got a 503 but was written after all, the answer is that of a first try. */
function decide({ phone }: Journey, decision: 'approve' | 'deny'): Promise<Answer> {
  return phone.decide(decision);
}

function leadsOn(journey: Journey, to: string): (answer: Answer) => boolean {
  return (answer) => {
    if (answer.status !== 200) return false;
    journey.goTo(`${answer.json().redirectTo}`);
    return new URL(journey.next).pathname.startsWith(to);
  };
}
