/** The phone's script: posts the scan at once, keeps an eager finger from deciding twice, and asks for a passkey. */
import { askForPasskey } from './passkey.ts';

/** Whether a passkey is being asked for. */
let proving = false;

for (const form of document.querySelectorAll('form')) {
  form.addEventListener('submit', (event) => {
    if (form.dataset.sent !== undefined) event.preventDefault();
    else if (needsProof(form, event.submitter)) {
      event.preventDefault();
      void prove(form, event.submitter);
    } else form.dataset.sent = '';
  });
}

/** Approve takes a passkey where the page says so, and it is not there yet. */
function needsProof(form: HTMLFormElement, pressed: HTMLElement | null): boolean {
  if (form.dataset.passkey === undefined || pressed?.getAttribute('value') !== 'approve') return false;
  return proofIn(form)?.value === '';
}

async function prove(form: HTMLFormElement, pressed: HTMLElement | null): Promise<void> {
  const mistake = form.querySelector<HTMLElement>('[role=alert]');
  if (mistake !== null) mistake.textContent = '';
  proving = true;
  const answer = await askForPasskey(form.dataset.passkey ?? '');
  proving = false;
  const proof = proofIn(form);
  if (answer !== undefined && proof !== null) {
    proof.value = answer;
    // A button that is disabled would not say what it stands for.
    if (pressed instanceof HTMLButtonElement) pressed.disabled = false;
    form.requestSubmit(pressed);
  } else if (mistake !== null) mistake.textContent = mistake.dataset.text ?? '';
}

function proofIn(form: HTMLFormElement): HTMLInputElement | null {
  return form.querySelector<HTMLInputElement>('input[name=proof]');
}

// A page that the browser only prepares must not scan: somebody has to open it.
const scan = document.querySelector<HTMLFormElement>('form[data-scan]');
if (scan !== null && document.visibilityState === 'visible') scan.requestSubmit();
else document.addEventListener('visibilitychange', () => scan?.requestSubmit(), { once: true });

/** Long enough for a finger that was about to press something else. */
const CALM = 500;
let calming = 0;

/** Approve takes a page that the person has seen: nobody is led to press what was under their finger a moment ago. */
function calmDown(): void {
  const approve = document.querySelector<HTMLButtonElement>('button[value=approve]');
  // Back from the passkey's own window, which was opened by the press that counts.
  if (approve === null || proving) return;
  clearTimeout(calming);
  approve.disabled = true;
  calming = setTimeout(() => {
    approve.disabled = false;
  }, CALM);
}
calmDown();
addEventListener('focus', calmDown);

// Back on this page: the form may be sent again.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});
