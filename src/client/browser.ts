/** The script of the QR page: shows each change of the ticket, and finishes the sign-in once it is approved. */
import { DigitField } from './check-code.ts';
import { ShownCode } from './code/shown-code.ts';
import { keyFields, shownKeyFields } from './key-fields.ts';
import { announce, find, interactionUrl, page } from './page.ts';
import { askForPasskey, removeUnusablePasskeys } from './passkey.ts';
import { type Answer, isRefusal, post, postUntilAnswered, postWhile, type Refusal } from './requests.ts';
import { namePhone, showNumber } from './scanned-by.ts';
import { screenOf, showInTab, turnPageTo } from './screens.ts';
import { onSubmit } from './submit.ts';
import { NO_PICTURE, requestUntilAnswered, type Ticket } from './ticket/ticket.ts';
import { TicketWatch } from './ticket/watch-ticket.ts';
import { countDown, showTimeLeft } from './time/countdown.ts';

interface Redirect {
  readonly redirectTo: string;
}

/** Time to read that the phone has declined, before the page goes back to the client (RP). */
const FAREWELL_MS = 1_500;

const form = find<HTMLFormElement>(page, 'form[data-finish]');
const mistake = find(form, '[role=alert]');
/** The question whether the account that is signed in here may be signed out. Pressing Continue agrees. */
const accountSwitch = find<HTMLFieldSetElement>(form, '[data-switch]');
const field = new DigitField(form, accountSwitch, () => {
  mistake.textContent = '';
});
removeUnusablePasskeys(page);
/** The form to sign in with a passkey of this device; null if the page has none. */
const passkey = page.querySelector<HTMLFormElement>('form[data-passkey]');

/** The hint about enrolling this browser; null if no account needs an enrolled browser. */
const enrolHint = page.querySelector<HTMLElement>('[data-enrol]');
/** The version of the ticket for which this browser has shown its key. */
let provenVersion: number | undefined;

/** The version of the ticket that the page shows. The initial value is in the HTML, and the first event replaces it. */
let version = Number(page.querySelector<HTMLInputElement>('[name=version]')?.value);
/** The use of the browser's key that the server expects at finish; undefined if it expects none. */
let keyUse: Ticket['key'];
/** False while the server does not answer. */
let isConnected = true;
let finishing = false;
/** True in the states in which a request to finish can succeed. */
let canFinish = false;
let wantsRenewal = false;
let wantsFinish = false;
/**
 * The version of the ticket that the server refused to finish. The page does not try to finish this version again,
 * unless the user asks for it.
 */
let refusedVersion: number | undefined;
/** Aborts the request for a picture from the server. */
let pictureRequest = new AbortController();
const leaving = new AbortController();
const code = new ShownCode(requestPicture);

function show(ticket: Ticket): void {
  setConnected(true);
  if (ticket.qr) code.show(ticket.qr, ticket.version !== version);
  if (enrolHint && ticket.qr && provenVersion !== ticket.version)
    void proveKey(enrolHint, ticket.version, ticket.qr.url);
  version = ticket.version;
  keyUse = ticket.key;
  countDown(ticket.expiresIn);
  accountSwitch.hidden = accountSwitch.disabled = !ticket.switchAccount;
  namePhone(ticket.phone);
  showNumber(ticket.number);
  turnTo(version === refusedVersion ? 'refused' : screenOf(ticket));
  field.showContinue();
  canFinish = ['approved', 'redeemed', 'denied'].includes(ticket.state);
  wantsRenewal = ticket.state === 'expired';
  if (wantsRenewal) void renewIfSeen();
  const ready = ticket.state === 'approved' && !ticket.checkCode && !ticket.switchAccount;
  wantsFinish = (ready && version !== refusedVersion) || ticket.state === 'redeemed';
  if (wantsFinish) void finishIfSeen();
  if (ticket.state === 'denied') setTimeout(() => void finish(), FAREWELL_MS);
}

/** Shows the server that this browser has its key. After a failure, it tries again with the next code. */
async function proveKey(hint: HTMLElement, proven: number, url: string): Promise<void> {
  provenVersion = proven;
  const fields = await shownKeyFields(url.split('/').pop() ?? '');
  hint.hidden = fields !== undefined;
  const answer = fields && (await post<object>(`${interactionUrl}/qr/key`, fields));
  if (fields && (!answer || isRefusal(answer.body))) provenVersion = undefined;
}

/**
 * Finishes the sign-in if this tab is visible. Several tabs may show this sign-in, but the provider accepts a finish
 * from only one of them.
 */
async function finishIfSeen(): Promise<void> {
  if (wantsFinish && document.visibilityState === 'visible') await finish();
}

function turnTo(screen: string): void {
  if (turnPageTo(screen) && screen === 'check-code') field.focus();
}

/** Shows if the server answers. While it does not, the page does not offer its code, which may be out of date. */
function setConnected(connected: boolean): void {
  isConnected = connected;
  showConnection();
}

function showConnection(): void {
  const showsCode = page.dataset.screen === 'waiting' || page.dataset.screen === 'signing-in';
  const isLost = !isConnected || (showsCode && code.isOld);
  if (page.hasAttribute('data-lost') === isLost) return;
  page.toggleAttribute('data-lost', isLost);
  const notice = page.querySelector<HTMLElement>('[data-connecting]');
  if (notice === null) return;
  notice.hidden = !isLost;
  if (isLost) announce(notice.textContent ?? '');
}

/**
 * Requests the ticket, and uses only the picture in the answer. The answer may be late, and {@link TicketWatch} reports
 * all other changes.
 */
async function requestPicture(): Promise<void> {
  pictureRequest.abort();
  pictureRequest = new AbortController();
  const ticket = await requestUntilAnswered(`${interactionUrl}/qr`, pictureRequest.signal);
  if (typeof ticket === 'object' && ticket.version === version && ticket.qr) code.show(ticket.qr, false);
}

/** Renews the code of a visible page. A hidden page requests no new code until it is visible again. */
async function renewIfSeen(): Promise<void> {
  if (!wantsRenewal || document.visibilityState !== 'visible') return;
  wantsRenewal = false;
  await renew();
}

async function renew(): Promise<void> {
  const { status, body } = await send<Ticket | Redirect>(`qr/renew?${NO_PICTURE}`, () => ({ version: `${version}` }));
  if (isRefusal(body)) return handleRefusal(status);
  // The phone has ended the sign-in for good, so there is no new code.
  if ('redirectTo' in body) goTo(body.redirectTo);
  else show(body);
}

/**
 * Finishes the sign-in.
 * @param typed the digits that the user typed, and the agreement to sign the other account out
 */
async function finish(typed: Record<string, string> = {}): Promise<void> {
  if (finishing) return;
  finishing = true;
  mistake.textContent = '';
  const makeFields = async (): Promise<Record<string, string>> => ({ ...typed, ...(await keyFields(keyUse, version)) });
  const url = `${interactionUrl}/qr/finish`;
  // Each request with a check code counts as a try, so it is sent once. A request without one is repeated, but not
  // beyond the ticket's end: it must not hold up the next ticket, or make its code look out of date.
  const answer = await (typed.checkCode === undefined
    ? postWhile<Redirect>(url, makeFields, setConnected, () => canFinish)
    : post<Redirect>(url, await makeFields()));
  finishing = false;
  if (answer === undefined && !canFinish) return;
  if (answer === undefined || answer.status >= 500) {
    mistake.textContent = mistake.dataset.noAnswer ?? '';
    field.awaitPress();
    // The answer may have been lost after a right check code. Then the ticket is redeemed by now.
    await finishIfSeen();
  } else if (isRefusal(answer.body)) refuseFinish(answer.status, answer.body, typed);
  else goTo(answer.body.redirectTo);
}

function refuseFinish(status: number, { error, reason }: Refusal, { checkCode }: Record<string, string>): void {
  // The server did not demand a check code before. The field appears when the watch reports the changed ticket.
  if (error === 'check_code_required' && checkCode === undefined) return;
  if (error === 'wrong_check_code' || error === 'check_code_required') askAgain(mistake.dataset.text);
  else if (error === 'too_many_requests' && reason === undefined) askAgain(mistake.dataset.tooOften);
  // Meanwhile, another tab has signed in another account. The reloaded page asks whether to sign that account out.
  else if (error === 'account_switch') location.reload();
  else if (status === 403 || status === 429) showRefused(error, reason);
  else handleRefusal(status);
}

/** Shows why an approved sign-in cannot be finished, for example because the account or the phone has changed since. */
function showRefused(error: string, reason = ''): void {
  refusedVersion = version;
  wantsFinish = false;
  const texts = [...page.querySelectorAll<HTMLElement>('[data-refusal]')];
  const names = [`${error}.${reason}`, error, ''];
  const shown = names.map((name) => texts.find((text) => text.dataset.refusal === name)).find(Boolean);
  for (const text of texts) text.hidden = text !== shown;
  // A deployment's own page may have no texts for this.
  turnTo(shown === undefined ? 'cancelled' : 'refused');
}

function askAgain(text: string | undefined): void {
  mistake.textContent = text ?? '';
  field.clear();
}

/** Sends the digits once all of them are typed. */
async function submitDigits(): Promise<void> {
  if (page.dataset.screen === 'check-code' && !field.isComplete) {
    // The last digit sends the form. If the user then presses Enter, the message of the answer must stay.
    if (field.value !== '' || mistake.textContent === '') mistake.textContent = mistake.dataset.incomplete ?? '';
    return field.focus();
  }
  await finish({
    ...(page.dataset.screen === 'check-code' && { checkCode: field.value }),
    ...(!accountSwitch.disabled && { switchAccount: 'yes' }),
  });
}

/** Signs in with a passkey of this device, without a phone. */
async function signInHere(form: HTMLFormElement): Promise<void> {
  const problem = find(form, '[role=alert]');
  problem.textContent = '';
  const proof = await askForPasskey(form.dataset.passkey ?? '');
  // The value is `yes` if the page names the account that will be signed out. Otherwise the server demands agreement
  // first.
  const switchAccount = form.dataset.switchAccount ?? '';
  const answer = proof && (await send<Redirect>('qr/passkey', () => ({ proof, switchAccount })));
  if (answer && !isRefusal(answer.body)) return goTo(answer.body.redirectTo);
  problem.textContent = problem.dataset.text ?? '';
  if (!answer) return;
  if (isRefusal(answer.body) && answer.body.error === 'account_switch') location.reload();
  else handleRefusal(answer.status);
}

async function leave(): Promise<void> {
  const { status, body } = await send<Redirect>('cancel');
  if (isRefusal(body)) handleRefusal(status);
  else goTo(body.redirectTo);
}

/** Sends a POST below the interaction's URL until it is answered. Until then the page shows that there is no answer. */
function send<Body>(
  path: string,
  makeFields: () => Record<string, string> | Promise<Record<string, string>> = () => ({}),
): Promise<Answer<Body | Refusal>> {
  return postUntilAnswered<Body>(`${interactionUrl}/${path}`, async () => makeFields(), setConnected);
}

/**
 * Leaves the page. The watch stops first: the provider ends the interaction now, and the watch must not report that.
 */
function goTo(to: string): void {
  leaving.abort();
  pictureRequest.abort();
  location.assign(to);
}

/**
 * On a 404 the interaction has ended, so this page cannot continue. After any other error the watched ticket shows how
 * to continue.
 */
function handleRefusal(status: number): void {
  if (status === 404) leaveEnded();
}

/**
 * Reloads the page of an interaction that has ended, perhaps in another tab. The server answers with a page that says
 * how it ended, and has a link to continue.
 */
function leaveEnded(): void {
  leaving.abort();
  location.reload();
}

// Browsers without WebAuthn have no such form, because it could only fail.
if (passkey !== null) onSubmit('form[data-passkey]', signInHere);
onSubmit('form[data-renew]', renew);
onSubmit('form[data-cancel]', leave);
onSubmit('form[data-finish]', submitDigits);
document.addEventListener('visibilitychange', () => {
  void renewIfSeen();
  void finishIfSeen();
});
// The user has come back from the RP, so this page is a copy that the browser has kept, and is out of date.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});
countDown(Number(page.dataset.expiresIn));
showInTab();
setInterval(() => {
  showTimeLeft();
  showConnection();
}, 1000);
const watcher = { onTicket: show, onSilence: () => setConnected(false), onGone: leaveEnded };
void new TicketWatch(interactionUrl, watcher, leaving.signal).run();
