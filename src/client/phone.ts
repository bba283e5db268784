/**
 * The script of the phone's pages: posts the scan at once, blocks a second submission, asks for a passkey, and watches
 * what becomes of an approval.
 */
import { askForPasskey } from './passkey.ts';

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

/** Approve stays disabled this long, so that a tap that was meant for something else does not approve. */
const APPROVE_DELAY_MS = 500;
let approveTimer = 0;

/**
 * Disables Approve for a moment after the page has appeared. Otherwise an attacker could make the user tap a place on
 * another page, and show this page there just before the tap.
 */
function delayApprove(): void {
  const approve = document.querySelector<HTMLButtonElement>('button[value=approve]');
  // While the browser asks for a passkey, focus comes back from its own window: Approve has been pressed already.
  if (approve === null || isAskingForPasskey) return;
  clearTimeout(approveTimer);
  approve.disabled = true;
  approveTimer = setTimeout(() => {
    approve.disabled = false;
  }, APPROVE_DELAY_MS);
}
delayApprove();
addEventListener('focus', delayApprove);

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
    const response = await fetch(location.href, { headers: { Accept: 'application/json' } }).catch(() => undefined);
    // Offline, too many requests, or a server that restarts: look again later.
    if (response === undefined || response.status >= 429) continue;
    // The ticket is over. This page still says what the user did.
    if (!response.ok) return;
    const { state, checkCode } = await response.json();
    if (state !== 'approved' || checkCode !== undefined) return location.reload();
  }
}

if (document.querySelector('[data-approved]') !== null) void watchApproval();
