/**
 * The script of the phone's pages: posts the scan at once, blocks a second submission, asks for a passkey, and follows
 * the ticket: each next page replaces the present one without a reload.
 */

import { askForPasskey } from './passkey.ts';
import { showCopyButtons } from './phone/copy.ts';
import { type Feedback, giveFeedback } from './phone/feedback.ts';
import { followTicket } from './phone/follow.ts';
import { sendDecision } from './phone/send-decision.ts';
import { showTimeLeft } from './phone/time-left.ts';

/** The buttons that approve: Approve alone, or three numbers, of which the browser shows one. */
const APPROVALS = 'button[value=approve], button[name=match]';

/** True once the user has decided on this page. */
let hasDecided = false;
/** True while the browser asks for a passkey. */
let isAskingForPasskey = false;

/** The vibration and the sound for each state of the ticket. Any other state is an end without a sign-in. */
const FEEDBACK_OF: Readonly<Record<string, Feedback>> = { approved: 'done', redeemed: 'success' };

// Listen on the document, because the next page replaces the elements of this one.
document.addEventListener('submit', (event) => {
  const { target: form, submitter } = event;
  if (!(form instanceof HTMLFormElement)) return;
  if (form.dataset.sent !== undefined) event.preventDefault();
  else if (needsPasskey(form, submitter)) {
    event.preventDefault();
    void submitWithPasskey(form, submitter);
  } else {
    form.dataset.sent = '';
    if (isApproval(submitter)) giveFeedback('done');
    if (form.closest('main[data-follow]') === null) return;
    event.preventDefault();
    hasDecided = true;
    void sendDecision(form, submitter, prepare);
  }
});

/** Returns true for Approve, and for a number in its place. */
function isApproval(pressed: HTMLElement | null): boolean {
  return pressed?.matches(APPROVALS) === true;
}

/** Returns true if Approve was pressed, the page demands a passkey for it, and the form does not hold one yet. */
function needsPasskey(form: HTMLFormElement, pressed: HTMLElement | null): boolean {
  if (form.dataset.passkey === undefined || !isApproval(pressed)) return false;
  return proofIn(form)?.value === '';
}

async function submitWithPasskey(form: HTMLFormElement, pressed: HTMLElement | null): Promise<void> {
  const mistake = form.querySelector<HTMLElement>('[role=alert]');
  if (mistake !== null) mistake.textContent = '';
  isAskingForPasskey = true;
  const answer = await askForPasskey(form.dataset.passkey ?? '');
  isAskingForPasskey = false;
  const proof = proofIn(form);
  if (answer !== undefined && proof !== null) {
    proof.value = answer;
    // A disabled button would not be submitted with the form, and its value is the decision.
    if (pressed instanceof HTMLButtonElement) pressed.disabled = false;
    form.requestSubmit(pressed);
  } else if (mistake !== null) mistake.textContent = mistake.dataset.text ?? '';
}

function proofIn(form: HTMLFormElement): HTMLInputElement | null {
  return form.querySelector<HTMLInputElement>('input[name=proof]');
}

// A page that the browser only prerenders must not scan, or open an action. It does so once the user opens it.
const scan = document.querySelector<HTMLFormElement>('form:is([data-scan], [data-open])');
if (scan !== null && document.visibilityState === 'visible') scan.requestSubmit();
else document.addEventListener('visibilitychange', () => scan?.requestSubmit(), { once: true });

/** Approve stays disabled until the page has been visible for this long, without a press anywhere on the page. */
const APPROVE_DELAY_MS = 500;

/**
 * Disables Approve for a moment after the page has appeared, and after each press during that moment. Otherwise an
 * attacker could make the user tap a place on another page again and again, and show this page there just before a tap.
 */
function calmApprove(approve: HTMLButtonElement, signal: AbortSignal): void {
  let timer = 0;
  /** True if the pointer went down after Approve had become active. */
  let isPressedNow = false;
  /** True while a key is held that went down before Approve became active. */
  let isKeyHeld = false;

  const wait = (): void => {
    // The focus comes back from the browser's window for passkeys, so Approve was pressed already.
    if (isAskingForPasskey) return;
    clearTimeout(timer);
    isPressedNow = false;
    approve.disabled = true;
    // A press on a disabled button causes no events. With `pointer-events: none`, the press reaches the element behind
    // the button instead, and causes events there.
    approve.style.pointerEvents = 'none';
    // A hidden page, or one that is only prerendered, waits until it is visible.
    if (document.visibilityState !== 'visible') return;
    timer = setTimeout(() => {
      approve.disabled = false;
      approve.style.pointerEvents = '';
    }, APPROVE_DELAY_MS);
  };
  const onPress = (event: Event): void => {
    const isRepeat = event instanceof KeyboardEvent && event.repeat;
    if (approve.disabled) wait();
    if (event.type !== 'keydown') isPressedNow = !approve.disabled;
    else if (!isRepeat) isKeyHeld = approve.disabled;
  };

  wait();
  for (const type of ['focus', 'pageshow']) addEventListener(type, wait, { signal });
  document.addEventListener('visibilitychange', wait, { signal });
  for (const type of ['pointerdown', 'mousedown', 'keydown'])
    addEventListener(type, onPress, { capture: true, signal });
  // The click of a space bar comes after its keyup.
  addEventListener('keyup', () => setTimeout(() => (isKeyHeld = false)), { capture: true, signal });
  approve.addEventListener('click', (event) => {
    // A click without a pointer has no detail: it comes from a key, or from assistive technology.
    if (event.detail > 0 ? !isPressedNow : isKeyHeld) event.preventDefault();
  });
}

// The user has come back to this page: a reload shows the current state, and the form can be sent again.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});

/** Aborted when another page replaces this one: removes the listeners of this page. */
let replaced = new AbortController();

/** Prepares the elements of the present page: at first, and again whenever another page has replaced it. */
function prepare(): void {
  replaced.abort();
  replaced = new AbortController();
  for (const approve of document.querySelectorAll<HTMLButtonElement>(APPROVALS)) calmApprove(approve, replaced.signal);
  showCopyButtons();
  showTimeLeft();
  // The user continues with the action in this same browser.
  const onward = document.querySelector<HTMLAnchorElement>('a[data-go-on]');
  if (onward !== null) location.assign(onward.href);
}

prepare();
void followTicket((state) => {
  const isOwnDecision = hasDecided && (state === 'approved' || state === 'denied');
  if (!isOwnDecision) giveFeedback(FEEDBACK_OF[state] ?? 'stopped');
  prepare();
});
