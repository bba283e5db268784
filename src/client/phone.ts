/**
 * The script of the phone's pages: posts the scan at once, blocks a second submission, asks for a passkey, and follows
 * the sign-in after an approval.
 */
import { showCopyButtons } from './copy.ts';
import { askForPasskey } from './passkey.ts';

showCopyButtons();

/** True while the browser asks for a passkey. */
let isAskingForPasskey = false;

for (const form of document.querySelectorAll('form')) {
  form.addEventListener('submit', (event) => {
    if (form.dataset.sent !== undefined) event.preventDefault();
    else if (needsPasskey(form, event.submitter)) {
      event.preventDefault();
      void submitWithPasskey(form, event.submitter);
    } else form.dataset.sent = '';
  });
}

/** Returns true if Approve was pressed, the page demands a passkey for it, and the form does not hold one yet. */
function needsPasskey(form: HTMLFormElement, pressed: HTMLElement | null): boolean {
  if (form.dataset.passkey === undefined || pressed?.getAttribute('value') !== 'approve') return false;
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
    // A disabled button would not be submitted with the form: its value is the decision.
    if (pressed instanceof HTMLButtonElement) pressed.disabled = false;
    form.requestSubmit(pressed);
  } else if (mistake !== null) mistake.textContent = mistake.dataset.text ?? '';
}

function proofIn(form: HTMLFormElement): HTMLInputElement | null {
  return form.querySelector<HTMLInputElement>('input[name=proof]');
}

// A page that the browser only prerenders must not scan. It scans once the user opens it.
const scan = document.querySelector<HTMLFormElement>('form[data-scan]');
if (scan !== null && document.visibilityState === 'visible') scan.requestSubmit();
else document.addEventListener('visibilitychange', () => scan?.requestSubmit(), { once: true });

/** Approve stays disabled until the page has been visible, and left alone, for this long. */
const APPROVE_DELAY_MS = 500;

/**
 * Disables Approve for a moment after the page has appeared, and after each press during that moment. Otherwise an
 * attacker could make the user tap a place on another page again and again, and show this page there just before a tap.
 */
function calmApprove(approve: HTMLButtonElement): void {
  let timer = 0;
  /** True if the pointer went down after Approve had become active. */
  let isPressedNow = false;
  /** True while a key is held that went down before Approve became active. */
  let isKeyHeld = false;

  const wait = (): void => {
    // While the browser asks for a passkey, focus comes back from its own window: Approve has been pressed already.
    if (isAskingForPasskey) return;
    clearTimeout(timer);
    isPressedNow = false;
    approve.disabled = true;
    // A press on a disabled button causes no events, but one on what lies below it does.
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
  for (const type of ['focus', 'pageshow']) addEventListener(type, wait);
  document.addEventListener('visibilitychange', wait);
  for (const type of ['pointerdown', 'mousedown', 'keydown']) addEventListener(type, onPress, true);
  // The click of a space bar comes after its keyup.
  addEventListener('keyup', () => setTimeout(() => (isKeyHeld = false)), true);
  approve.addEventListener('click', (event) => {
    // A click without a pointer has no detail: it comes from a key, or from assistive technology.
    if (event.detail > 0 ? !isPressedNow : isKeyHeld) event.preventDefault();
  });
}

const approveButton = document.querySelector<HTMLButtonElement>('button[value=approve]');
if (approveButton !== null) calmApprove(approveButton);

// The user has come back to this page: a reload shows the current state, and the form can be sent again.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});

/** The time between two looks at a ticket that was approved. */
const LOOK_EVERY_MS = 3_000;

/** Loads the page again when the browser has finished, or asks for the number, which this page then shows. */
async function watchApproval(): Promise<void> {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    if (document.visibilityState !== 'visible') continue;
    const answer = await look().catch(() => undefined);
    // Offline, too many requests, a server that restarts, or an answer of something else: look again later.
    if (answer === undefined || answer.status >= 429) continue;
    // The ticket is over. This page still says what the user did.
    if (answer.status >= 400) return;
    if (answer.ticket.state !== 'approved' || answer.ticket.checkCode !== undefined) return location.reload();
  }
}

/** @throws TypeError, SyntaxError if there is no answer of the provider: a captive portal redirects, or sends a page */
async function look(): Promise<{ status: number; ticket: { state: string; checkCode?: string } }> {
  const response = await fetch(location.href, { headers: { Accept: 'application/json' }, redirect: 'error' });
  return { status: response.status, ticket: await response.json() };
}

if (document.querySelector('[data-approved]') !== null) void watchApproval();
