/** The script of the QR page: shows each change of the ticket, and finishes the sign-in once it is approved. */
import { askForPasskey } from './passkey.ts';
import { askUntilAnswered, NO_PICTURE, rest, type Ticket, watchTicket } from './watch-ticket.ts';

const RETRY_AFTER_MS = 2_000;
/** Time to read that the phone has declined, before the page goes back to the app. */
const FAREWELL_MS = 1_500;
/**
 * The longest wait for the drawing script. The previous code is still valid then, even if codes rotate every second.
 */
const LOAD_WITHIN_MS = 1_500;

const page = find<HTMLElement>(document, '[data-qr-login]');
const self = page.dataset.qrLogin ?? '';
const status = find<HTMLElement>(page, '[role=status]');
const form = find<HTMLFormElement>(page, 'form[data-finish]');
const field = find<HTMLInputElement>(form, 'input');
const mistake = find<HTMLElement>(form, '[role=alert]');
/** Asks for agreement that the account in this browser is signed out. Pressing Continue agrees. */
const accountSwitch = find<HTMLFieldSetElement>(form, '[data-switch]');
/** The form to sign in with a passkey of this device; null if the page has none. */
const passkey = page.querySelector<HTMLFormElement>('form[data-passkey]');
const countdowns = page.querySelectorAll<HTMLElement>('[data-countdown]');
/** A live region announces that this many seconds are left to act, for users who cannot see the countdown ring. */
const SOON_S = 30;

/** The initial value is from the HTML of the page. The first event replaces it. */
let version = Number(page.querySelector<HTMLInputElement>('[name=version]')?.value);
let endsAt = performance.now() + Number(page.dataset.expiresIn) * 1000;
/** The address in the code on the page. For the code in the HTML, only the end of its address. */
let shownUrl = page.querySelector<HTMLElement>('[data-drawn]')?.dataset.drawn || 'none';
/** Draws codes. It is loaded once, when the page needs it for the first time. */
let drawCode: ((url: string) => Element | undefined) | undefined;
/** Resolves when the drawing script has loaded, has failed to load, or is late. */
let loading: Promise<void> | undefined;
/** Aborts the request for a picture from the server. */
let pictureRequest = new AbortController();
/** The use of this browser's key at finish. */
let keyUse: Ticket['key'];
let finishing = false;
let wantsRenewal = false;
let wantsFinish = false;
const leaving = new AbortController();

function show(ticket: Ticket): void {
  if (ticket.qr) showCode(ticket.qr, ticket.version !== version);
  version = ticket.version;
  keyUse = ticket.key;
  endsAt = performance.now() + ticket.expiresIn * 1000;
  showTimeLeft();
  accountSwitch.hidden = accountSwitch.disabled = !ticket.switchAccount;
  turnTo(screenOf(ticket));
  wantsRenewal = ticket.state === 'expired';
  if (wantsRenewal) void renewIfSeen();
  const ready = ticket.state === 'approved' && !ticket.checkCode && !ticket.switchAccount;
  wantsFinish = ready || ticket.state === 'redeemed';
  if (wantsFinish) void finishIfSeen();
  if (ticket.state === 'denied') setTimeout(() => void finish(), FAREWELL_MS);
}

/** Only the visible one of several tabs with this sign-in finishes it: the provider accepts only one. */
async function finishIfSeen(): Promise<void> {
  if (wantsFinish && document.visibilityState === 'visible') await finish();
}

/** Returns the part of the page for this ticket, by its name in the template. */
function screenOf({ state, checkCode, switchAccount, because }: Ticket): string {
  if (state === 'approved' && checkCode) return 'check-code';
  if (state === 'approved') return switchAccount ? 'switch' : 'finishing';
  if (because === 'check code') return 'wrong-codes';
  return state === 'redeemed' ? 'finishing' : state;
}

function turnTo(screen: string): void {
  if (page.dataset.screen === screen) return;
  page.dataset.screen = screen;
  for (const part of page.querySelectorAll<HTMLElement>('[data-when]')) {
    part.hidden = !part.dataset.when?.split(' ').includes(screen);
  }
  const heading = page.querySelector('[data-say]:not([hidden], [hidden] *)');
  if (heading) status.textContent = heading.textContent;
  if (screen === 'check-code') field.focus();
}

/** @param isNew true if the code belongs to another ticket than the previous one */
function showCode({ url, svg, shortCode }: NonNullable<Ticket['qr']>, isNew: boolean): void {
  page.querySelector('[data-address]')?.setAttribute('href', url);
  if (shortCode !== undefined) showShortCode(shortCode);
  if (svg === undefined && url.endsWith(shownUrl)) return;
  shownUrl = url;
  // The previous ticket is over, so its code must not stay on the page while the new one is drawn.
  if (isNew) replacePicture();
  if (svg === undefined) void draw(url);
  else replacePicture(new DOMParser().parseFromString(svg, 'image/svg+xml').documentElement);
}

/**
 * Draws a code, unless a newer one has arrived meanwhile. If this page cannot draw, it asks the server for a picture.
 */
async function draw(url: string): Promise<void> {
  loading ??= Promise.race([loadDrawCode(), rest(LOAD_WITHIN_MS)]).catch(() => undefined);
  await loading;
  if (shownUrl !== url) return;
  const image = drawCode?.(url);
  if (image) replacePicture(image);
  else await requestPicture();
}

async function loadDrawCode(): Promise<void> {
  drawCode = (await import('./draw-code.ts')).drawCode;
}

/** Uses the picture of the answer only: the answer may be late, and {@link watchTicket} reports all other changes. */
async function requestPicture(): Promise<void> {
  pictureRequest.abort();
  pictureRequest = new AbortController();
  const onTicket = (ticket: Ticket): void => {
    if (ticket.version === version && ticket.qr) showCode(ticket.qr, false);
  };
  await askUntilAnswered(`${self}/qr`, { onTicket, onGone }, pictureRequest.signal);
}

function replacePicture(...images: Element[]): void {
  find(page, '[data-code]').replaceChildren(...images);
}

/**
 * Shows the short code, and spells it for screen readers. An unchanged code is not written again, because a screen
 * reader may be reading it.
 */
function showShortCode(shortCode: string): void {
  const element = find(page, '[data-short-code]');
  if (element.textContent === shortCode) return;
  element.textContent = shortCode;
  find(page, '[data-spelled]').textContent = [...shortCode].join(' ');
}

/** Shows the time that is left, as digits and as a ring. */
function showTimeLeft(): void {
  const seconds = Math.max(0, Math.ceil((endsAt - performance.now()) / 1000));
  const text = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  for (const countdown of countdowns) {
    find(countdown, '[data-time]').textContent = text;
    const gone = 100 - (100 * seconds) / Number(countdown.dataset.countdown);
    find<SVGElement>(countdown, '[data-left]').style.strokeDashoffset = `${Math.max(0, gone)}`;
  }
  const userMustAct = page.dataset.screen === 'scanned' || page.dataset.screen === 'check-code';
  if (userMustAct && seconds === SOON_S) status.textContent = page.dataset.soon ?? '';
}

/** Renews the code of a visible page. A hidden page requests no new code until it is visible again. */
async function renewIfSeen(): Promise<void> {
  if (!wantsRenewal || document.visibilityState !== 'visible') return;
  wantsRenewal = false;
  await renew();
}

async function renew(): Promise<void> {
  const response = await post(`qr/renew?${NO_PICTURE}`, { version: `${version}` });
  if (!response.ok) return handleRefusal(response);
  const answer: Ticket | { redirectTo: string } = await response.json();
  // The phone has ended the sign-in for good, so there is no new code.
  if ('redirectTo' in answer) goTo(answer.redirectTo);
  else show(answer);
}

async function finish(fields: Record<string, string> = {}): Promise<void> {
  if (finishing) return;
  finishing = true;
  mistake.textContent = '';
  const response = await post('qr/finish', { ...fields, ...(await keyFields()) }).catch(() => undefined);
  if (response === undefined) {
    finishing = false;
    mistake.textContent = mistake.dataset.noAnswer ?? '';
    // The number may have been right: then the ticket is redeemed.
    await finishIfSeen();
    return;
  }
  if (response.ok) {
    goTo((await response.json()).redirectTo);
    return;
  }
  finishing = false;
  const { error } = await response.json();
  // The number is demanded only now: the watched ticket shows the field.
  if (error === 'check_code_required' && fields.checkCode === undefined) return;
  if (error === 'wrong_check_code' || error === 'check_code_required') askAgain(mistake.dataset.text);
  else if (error === 'too_many_requests') askAgain(mistake.dataset.tooOften);
  // Another tab has signed another account in meanwhile. The reloaded page asks whether to replace it.
  else if (error === 'account_switch') location.reload();
  else handleRefusal(response);
}

/** Returns what the browser's key adds to finish. Without a key the server asks for the number, or trusts the cookie. */
async function keyFields(): Promise<Record<string, string>> {
  if (!keyUse) return {};
  try {
    const { publicKey, sign } = await import('./browser-key.ts');
    if (keyUse === 'make') return { key: await publicKey() };
    const uid = self.split('/').pop();
    return { signature: (await sign(`oidc-provider-qr-login finish ${uid} ${version}`)) ?? '' };
  } catch {
    return {};
  }
}

function askAgain(text: string | undefined): void {
  mistake.textContent = text ?? '';
  form.reset();
  field.focus();
}

/** Signs in with a passkey of this device, without a phone. */
async function signInHere(form: HTMLFormElement): Promise<void> {
  const problem = find<HTMLElement>(form, '[role=alert]');
  problem.textContent = '';
  const proof = await askForPasskey(form.dataset.passkey ?? '');
  // 'yes' if the page names the account that is signed out; otherwise the server asks for agreement first.
  const switchAccount = form.dataset.switchAccount ?? '';
  const response = proof === undefined ? undefined : await post('qr/passkey', { proof, switchAccount });
  if (response?.ok) return goTo((await response.json()).redirectTo);
  problem.textContent = problem.dataset.text ?? '';
  if (response === undefined) return;
  const { error } = await response.json();
  if (error === 'account_switch') location.reload();
  else handleRefusal(response);
}

async function leave(): Promise<void> {
  const response = await post('cancel');
  if (response.ok) goTo((await response.json()).redirectTo);
  else handleRefusal(response);
}

/** Leaves the page. It stops watching first: the provider ends the interaction now, which is no error here. */
function goTo(to: string): void {
  leaving.abort();
  pictureRequest.abort();
  location.assign(to);
}

/**
 * On a 404 the interaction has ended, so this page cannot continue. After any other error the watched ticket shows how
 * to continue.
 */
function handleRefusal(response: Response): void {
  if (response.status === 404) onGone();
}

function onGone(): void {
  turnTo('gone');
}

/**
 * Sends a POST until the server answers. Repeating is harmless, except with a check code, which counts as a try each
 * time.
 * @throws Error if a request with a check code has no answer
 */
async function post(path: string, body: Record<string, string> = {}): Promise<Response> {
  for (;;) {
    try {
      const response = await fetch(`${self}/${path}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
        body: JSON.stringify(body),
      });
      // A server error is temporary as well. Its body may be a proxy's page.
      if (response.status < 500 && (response.status !== 429 || body.checkCode !== undefined)) return response;
    } catch {
      // Offline, or the server restarts: try again below.
    }
    if (body.checkCode !== undefined) throw new Error('there was no answer');
    await rest(RETRY_AFTER_MS);
  }
}

function find<E extends Element = Element>(within: ParentNode, selector: string): E {
  const element = within.querySelector<E>(selector);
  if (element === null) throw new Error(`the page has no ${selector}`);
  return element;
}

/** Runs `act` instead of the form submission. */
function onSubmit(selector: string, act: () => Promise<void>): void {
  for (const form of page.querySelectorAll<HTMLFormElement>(selector)) {
    let acting = false;
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      // While the server is away, `post` repeats the request by itself: a second press must not start another one.
      if (acting) return;
      acting = true;
      await act().finally(() => {
        acting = false;
      });
    });
  }
}

if (passkey !== null) onSubmit('form[data-passkey]', () => signInHere(passkey));
onSubmit('form[data-renew]', renew);
onSubmit('form[data-cancel]', leave);
onSubmit('form[data-finish]', () =>
  finish({
    ...(page.dataset.screen === 'check-code' && { checkCode: field.value }),
    ...(!accountSwitch.disabled && { switchAccount: 'yes' }),
  }),
);
document.addEventListener('visibilitychange', () => {
  void renewIfSeen();
  void finishIfSeen();
});
// The user has come back from the RP: the page that the browser has kept is out of date.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});
showTimeLeft();
setInterval(showTimeLeft, 1000);
void watchTicket(self, { onTicket: show, onGone }, leaving.signal);
