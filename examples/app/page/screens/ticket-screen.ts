/** The screens of a sign-in: the question, the digits to type, and how it ended. */
import type { TicketView } from 'oidc-provider-qr-login/phone';
import { element, isolate } from '../dom.ts';
import type { Texts } from '../texts.ts';
import { countdown } from './countdown.ts';
import { destination, facts } from './facts.ts';

export interface Approval {
  /** True if the browser stays signed in when it is closed. */
  readonly remember: boolean;
  /** The answer to a question of the deployment. */
  readonly answer?: string;
  /** The number that the user has tapped, if the ticket has numbers. */
  readonly match?: string | undefined;
}

/** The acts of the user. An act is over when its promise settles. The caller shows its errors. */
export interface TicketActs {
  readonly approve: (approval: Approval) => Promise<void>;
  readonly deny: () => Promise<void>;
  readonly report: () => Promise<void>;
  readonly unable: () => Promise<void>;
  /** Signs in again in the way that the ticket requires, and comes back to the ticket. */
  readonly signInAgain: () => Promise<void>;
  /** Signs in with another account. */
  readonly switchAccount: () => Promise<void>;
  /** Leaves the sign-in. */
  readonly leave: () => void;
}

/**
 * Returns the screen for the present state of the ticket.
 * @param hadFinished true if the previous screen said that the browser is signed in. If the ticket is now denied by a
 * report, that report has signed the browser out
 */
export function ticketScreen(
  ticket: TicketView,
  texts: Texts,
  acts: TicketActs,
  hadFinished: boolean = false,
): HTMLElement {
  if (ticket.state === 'scanned') return question(ticket, texts, acts);
  if (ticket.state === 'approved' && ticket.checkCode !== undefined)
    return digits(ticket, ticket.checkCode, texts, acts);
  return outcome(ticket, texts, acts, hadFinished);
}

function question(ticket: TicketView, texts: Texts, acts: TicketActs): HTMLElement {
  const { t } = texts;
  const { client, account, requirement, action } = ticket;
  const { passkey, unavailable } = challengeOf(ticket);
  const mayApprove = mayBeApproved(ticket);
  return element(
    'section',
    { class: 'stack ticket' },
    element('h1', { tabindex: '-1' }, t(action ? 'action.title' : 'confirm.title', { client: client.name })),
    ...textsOf(ticket),
    whoAsks(ticket, texts),
    whatIsAsked(ticket, t),
    element(
      'div',
      { class: 'notice' },
      element('p', { class: 'strong' }, t(action ? 'action.question' : 'confirm.question')),
      element('p', {}, t('confirm.warning')),
    ),
    mayApprove &&
      action === undefined &&
      element('p', { class: 'quiet' }, t('confirm.follows', { client: client.name, account: account.name })),
    requirement && element('p', { class: 'strong' }, t(`confirm.unmet.${requirement.kind}`, { account: account.name })),
    unavailable && element('p', { class: 'strong' }, t('confirm.no-passkey')),
    passkey && mayApprove && element('p', { class: 'quiet' }, t('confirm.passkey')),
    answers(ticket, t, acts),
    ticket.expiresIn !== undefined && countdown(texts, ticket.expiresIn),
    element('button', { class: 'plain', click: () => void acts.report() }, t('confirm.report')),
    requirement && element('button', { class: 'plain', click: () => void acts.unable() }, t('confirm.unable')),
  );
}

function mayBeApproved(ticket: TicketView): boolean {
  return ticket.requirement === undefined && challengeOf(ticket).unavailable === undefined;
}

/** Returns the form with the answers. The user approves with a button, or with the number that the browser shows. */
function answers(ticket: TicketView, t: Texts['t'], acts: TicketActs): HTMLElement {
  const { requirement, action } = ticket;
  const { question: asked } = challengeOf(ticket);
  const mayApprove = mayBeApproved(ticket);
  const numbers = mayApprove ? ticket.numbers : undefined;
  const remember = element('input', { type: 'checkbox', id: 'remember' });
  const answer = element('input', { type: 'password', id: 'answer', autocomplete: 'off', required: true });
  const approve = (match?: string): void =>
    void acts.approve({ remember: remember.checked, match, ...(asked !== undefined && { answer: answer.value }) });
  const submit = (event: Event): void => {
    event.preventDefault();
    // The Enter key in the field chooses no number.
    if (numbers === undefined) approve();
  };
  const tap = (number: string): void => {
    if (asked === undefined || answer.reportValidity()) approve(number);
  };
  const deny = t(numbers === undefined ? 'confirm.deny' : 'confirm.number.none');
  return element(
    'form',
    { submit },
    asked !== undefined && element('label', { for: 'answer' }, asked),
    asked !== undefined && answer,
    mayApprove && !action && element('label', { class: 'tick', for: 'remember' }, remember, t('confirm.remember')),
    numbers && numberChoice(numbers, t('confirm.number'), tap),
    element(
      'div',
      { class: 'choice' },
      element('button', { type: 'button', class: 'refusal', click: () => void acts.deny() }, deny),
      mayApprove && numbers === undefined && approveButton(t(action ? 'action.approve' : 'confirm.approve')),
      // No sign-in of the app helps if the browser is not enrolled.
      requirement && requirement.kind !== 'enrolled' && signInButton(requirement.kind, t, acts),
    ),
  );
}

/** Returns the texts of an action; none for a sign-in. */
function textsOf({ action }: TicketView): HTMLElement[] {
  if (action === undefined) return [];
  const title = element('p', { class: 'strong' }, isolate(action.title));
  return action.details === '' ? [title] : [title, element('p', { class: 'details' }, action.details)];
}

/**
 * The time for which a new question cannot be approved, in milliseconds, so that a tap meant for the last screen does
 * not approve it.
 */
const NO_APPROVE_MS = 500;

function approveButton(label: string): HTMLElement {
  return enableLater(element('button', { class: 'primary', disabled: true }, label));
}

/** Returns the numbers of which the user taps the one that the browser shows, in place of Approve. */
function numberChoice(numbers: readonly string[], label: string, tap: (number: string) => void): HTMLElement {
  const buttons = numbers.map((number) => {
    const click = (): void => tap(number);
    return enableLater(
      element('button', { type: 'button', class: 'primary', disabled: true, dir: 'ltr', click }, number),
    );
  });
  return element(
    'div',
    { role: 'group', 'aria-labelledby': 'numbers' },
    element('p', { class: 'strong', id: 'numbers' }, label),
    element('div', { class: 'numbers' }, ...buttons),
  );
}

function enableLater(button: HTMLButtonElement): HTMLElement {
  setTimeout(() => {
    button.disabled = false;
  }, NO_APPROVE_MS);
  return button;
}

/** The input for the proof that Approve requires: one of these fields, or none. */
interface Challenge {
  readonly question?: string;
  readonly passkey?: object;
  readonly unavailable?: true;
}

function challengeOf({ challenge = {} }: { readonly challenge?: Challenge }): Challenge {
  return challenge;
}

function signInButton(kind: string, t: Texts['t'], acts: TicketActs): HTMLElement {
  const isSwitch = kind === 'account';
  const press = (): void => void (isSwitch ? acts.switchAccount() : acts.signInAgain());
  return element(
    'button',
    { type: 'button', class: 'primary', click: press },
    t(isSwitch ? 'confirm.switch.go' : 'confirm.again.go'),
  );
}

function whoAsks({ client, browser, account, shownAgo }: TicketView, texts: Texts): HTMLElement {
  const { t } = texts;
  const place = texts.placeName(browser.place);
  return facts(
    [t('confirm.account'), isolate(account.name)],
    client.host === undefined ? undefined : [t('confirm.host'), destination(texts, client.host)],
    [t('confirm.browser'), texts.browserName(browser), t('confirm.browser.hint')],
    place === '' ? undefined : [t('confirm.place'), place, t('confirm.place.hint')],
    [t('confirm.shown'), texts.ago(shownAgo)],
  );
}

function whatIsAsked({ scopes, claims, resources }: TicketView, t: Texts['t']): HTMLElement | undefined {
  const wishes = [
    ...scopes
      .filter(({ name: scope }) => scope !== 'openid')
      .map(({ name: scope, text }) => text ?? t(`scope.${scope}`)),
    ...claims.map(({ name: claim, text }) => text ?? t(`claim.${claim}`)),
    ...resources.map(
      ({ id, scopes: of }) =>
        `${t('consent.resource', { resource: id })} ${of.map(({ name: scope }) => scope).join(', ')}`,
    ),
  ];
  if (wishes.length === 0) return undefined;
  return element(
    'div',
    {},
    element('p', {}, t('confirm.scopes')),
    element('ul', { class: 'wants' }, ...wishes.map((wish) => element('li', {}, wish))),
  );
}

function digits(ticket: TicketView, checkCode: string, texts: Texts, acts: TicketActs): HTMLElement {
  const { t } = texts;
  return element(
    'section',
    { class: 'stack centred' },
    element('h1', { tabindex: '-1' }, t('done.check-code')),
    element(
      'p',
      { class: 'check-code', dir: 'ltr' },
      element('span', {}, checkCode.slice(0, 3)),
      ' ',
      element('span', {}, checkCode.slice(3)),
    ),
    element('p', { class: 'quiet' }, t('done.check-code.warning')),
    ticket.expiresIn !== undefined && countdown(texts, ticket.expiresIn),
    element('button', { class: 'secondary', click: () => void acts.report() }, t('confirm.report')),
  );
}

interface Outcome {
  readonly title: string;
  readonly text: string;
  readonly mark: string;
}

/** Returns the names of the texts and of the mark to show for an action that needs nothing more from this phone. */
function outcomeOfAction({ state, reason }: TicketView): Outcome {
  if (state === 'expired') return { title: 'action.expired', text: 'action.stopped', mark: 'time' };
  if (state === 'cancelled') return { title: 'action.cancelled', text: 'action.stopped', mark: 'no' };
  if (state === 'finished') return { title: 'action.done', text: 'action.done.how', mark: 'yes' };
  if (state === 'approved') return { title: 'action.done', text: 'action.approved.how', mark: 'yes' };
  const hasOwnText = reason === 'report' || reason === 'risk' || reason === 'blocked';
  return { title: hasOwnText ? `done.${reason}` : 'done.denied', text: 'action.stopped', mark: 'no' };
}

/** Returns the names of the texts and of the mark to show for a sign-in that needs nothing more from this phone. */
function outcomeOf({ state, reason }: TicketView, hadFinished: boolean): Outcome {
  if (state === 'expired') return { title: 'error.title', text: 'error.over.expired', mark: 'time' };
  if (state === 'cancelled') {
    const known = reason === 'renewed' || reason === 'check-code';
    return { title: 'error.title', text: `error.over.${known ? reason : 'cancelled'}`, mark: 'no' };
  }
  if (state === 'finished') return { title: 'done.redeemed', text: 'done.redeemed.text', mark: 'yes' };
  if (state === 'approved') return { title: 'done.approved', text: 'app.approved.text', mark: 'yes' };
  if (reason === 'report' && hadFinished) {
    return { title: 'done.report', text: 'done.report.ended.text', mark: 'no' };
  }
  const isUnmet = reason === 'account' || reason === 'local' || reason === 'freshness' || reason === 'acr';
  const hasOwnText = reason === 'report' || reason === 'risk' || reason === 'blocked';
  const name = isUnmet ? 'unmet' : hasOwnText ? reason : 'denied';
  return { title: `done.${name}`, text: name === 'denied' ? 'app.denied.text' : `done.${name}.text`, mark: 'no' };
}

function outcome(ticket: TicketView, { t }: Texts, acts: TicketActs, hadFinished: boolean): HTMLElement {
  const { title, text, mark } = ticket.action ? outcomeOfAction(ticket) : outcomeOf(ticket, hadFinished);
  const mayReport = ticket.state === 'approved' || ticket.state === 'finished';
  return element(
    'section',
    { class: 'stack centred' },
    element('p', { class: `mark mark-${mark}`, 'aria-hidden': 'true' }),
    element('h1', { tabindex: '-1' }, t(title)),
    element('p', {}, t(text, { client: ticket.client.name })),
    ticket.state !== 'approved' &&
      element('button', { class: 'primary', click: () => acts.leave() }, t('app.scan-another')),
    mayReport && element('button', { class: 'secondary', click: () => void acts.report() }, t('confirm.report')),
  );
}
