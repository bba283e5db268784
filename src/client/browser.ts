/** The QR page's script: shows what becomes of the ticket, and finishes the sign-in once it is approved. */
import { askForPasskey } from './passkey.ts';
import { askUntilAnswered, NO_PICTURE, rest, type Ticket, watchTicket } from './watch-ticket.ts';

const RETRY_AFTER = 2_000;
/** Long enough to read why the page goes away. */
const FAREWELL = 1_500;
/** How long what draws may be on its way: the code before is still good then, even of those that rotate fast. */
const LOAD_WITHIN = 1_500;

const page = find<HTMLElement>(document, '[data-qr-login]');
const self = page.dataset.qrLogin ?? '';
const status = find<HTMLElement>(page, '[role=status]');
const form = find<HTMLFormElement>(page, 'form[data-finish]');
const field = find<HTMLInputElement>(form, 'input');
const mistake = find<HTMLElement>(form, '[role=alert]');
/** The question whether the account that is signed in here may be signed out: answered by going on. */
const other = find<HTMLFieldSetElement>(form, '[data-switch]');
/** The way to sign in without a phone, where there is one. */
const passkey = page.querySelector<HTMLFormElement>('form[data-passkey]');
const countdowns = page.querySelectorAll<HTMLElement>('[data-countdown]');
/** Seconds before the end of a state in which the person has something to do: said to those who cannot see the ring. */
const SOON = 30;

/** As the page was made; the first event says it anew. */
let version = Number(page.querySelector<HTMLInputElement>('[name=version]')?.value);
let endsAt = performance.now() + Number(page.dataset.expiresIn) * 1000;
/** The address in the code that is shown; of the one that the page was made with, its end. */
let shown = page.querySelector<HTMLElement>('[data-drawn]')?.dataset.drawn || 'none';
/** Draws codes: fetched when there is something to draw, and once. */
let pen: ((url: string) => Element | undefined) | undefined;
/** Ends when that is here, or late. */
let loading: Promise<void> | undefined;
/** Ends asking the server to draw. */
let asking = new AbortController();
let finishing = false;
let wantsRenewal = false;
let wantsFinish = false;
const leaving = new AbortController();

function show(ticket: Ticket): void {
  if (ticket.qr) showCode(ticket.qr, ticket.version !== version);
  version = ticket.version;
  endsAt = performance.now() + ticket.expiresIn * 1000;
  tick();
  other.hidden = other.disabled = !ticket.switchAccount;
  turnTo(screenOf(ticket));
  wantsRenewal = ticket.state === 'expired';
  if (wantsRenewal) void renewIfSeen();
  const ready = ticket.state === 'approved' && !ticket.checkCode && !ticket.switchAccount;
  wantsFinish = ready || ticket.state === 'redeemed';
  if (wantsFinish) void finishIfSeen();
  if (ticket.state === 'denied') setTimeout(() => void finish(), FAREWELL);
}

/** Of several tabs with this sign-in, the one that is looked at goes on: the provider lets only one through. */
async function finishIfSeen(): Promise<void> {
  if (wantsFinish && document.visibilityState === 'visible') await finish();
}

/** The part of the page for a ticket, by the same names as in the template. */
function screenOf({ state, checkCode, switchAccount }: Ticket): string {
  if (state === 'approved' && checkCode) return 'check-code';
  if (state === 'approved') return switchAccount ? 'switch' : 'finishing';
  return state === 'redeemed' ? 'finishing' : state;
}

function turnTo(screen: string): void {
  if (page.dataset.screen === screen) return;
  page.dataset.screen = screen;
  for (const part of page.querySelectorAll<HTMLElement>('[data-when]')) {
    part.hidden = !part.dataset.when?.split(' ').includes(screen);
  }
  const said = page.querySelector('[data-say]:not([hidden], [hidden] *)');
  if (said) status.textContent = said.textContent;
  if (screen === 'check-code') field.focus();
}

/** @param isNew whether it is another ticket's than the one before */
function showCode({ url, svg, shortCode }: NonNullable<Ticket['qr']>, isNew: boolean): void {
  page.querySelector('[data-address]')?.setAttribute('href', url);
  if (shortCode !== undefined) spell(shortCode);
  if (svg === undefined && url.endsWith(shown)) return;
  shown = url;
  // The code of another ticket leads nowhere.
  if (isNew) put();
  if (svg === undefined) void draw(url);
  else put(new DOMParser().parseFromString(svg, 'image/svg+xml').documentElement);
}

/** A newer code that comes meanwhile wins. Where this page cannot draw, the server does. */
async function draw(url: string): Promise<void> {
  loading ??= Promise.race([loadPen(), rest(LOAD_WITHIN)]).catch(() => undefined);
  await loading;
  if (shown !== url) return;
  const image = pen?.(url);
  if (image) put(image);
  else await askForPicture();
}

async function loadPen(): Promise<void> {
  pen = (await import('./draw-code.ts')).drawCode;
}

/** The answer may be late: what else becomes of the ticket is heard of otherwise. */
async function askForPicture(): Promise<void> {
  asking.abort();
  asking = new AbortController();
  const onTicket = (ticket: Ticket): void => {
    if (ticket.version === version && ticket.qr) showCode(ticket.qr, false);
  };
  await askUntilAnswered(`${self}/qr`, { onTicket, onGone }, asking.signal);
}

function put(...images: Element[]): void {
  find(page, '[data-code]').replaceChildren(...images);
}

/** For the eye as a whole, for the ear one by one. What has not changed is left alone: somebody may be listening to it. */
function spell(shortCode: string): void {
  const shown = find(page, '[data-short-code]');
  if (shown.textContent === shortCode) return;
  shown.textContent = shortCode;
  find(page, '[data-spelled]').textContent = [...shortCode].join(' ');
}

/** The time that is left, as digits and as a ring. */
function tick(): void {
  const seconds = Math.max(0, Math.ceil((endsAt - performance.now()) / 1000));
  const text = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  for (const countdown of countdowns) {
    find(countdown, '[data-time]').textContent = text;
    const gone = 100 - (100 * seconds) / Number(countdown.dataset.countdown);
    find<SVGElement>(countdown, '[data-left]').style.strokeDashoffset = `${Math.max(0, gone)}`;
  }
  const acts = page.dataset.screen === 'scanned' || page.dataset.screen === 'check-code';
  if (acts && seconds === SOON) status.textContent = page.dataset.soon ?? '';
}

/** A page that nobody looks at waits with the next code until somebody does. */
async function renewIfSeen(): Promise<void> {
  if (!wantsRenewal || document.visibilityState !== 'visible') return;
  wantsRenewal = false;
  await renew();
}

async function renew(): Promise<void> {
  const response = await post(`qr/renew?${NO_PICTURE}`, { version: `${version}` });
  if (!response.ok) return giveUpOn(response);
  const answer: Ticket | { redirectTo: string } = await response.json();
  // The phone has ended the sign-in for good.
  if ('redirectTo' in answer) go(answer.redirectTo);
  else show(answer);
}

async function finish(said: Record<string, string> = {}): Promise<void> {
  if (finishing) return;
  finishing = true;
  mistake.textContent = '';
  const response = await post('qr/finish', said).catch(() => undefined);
  if (response === undefined) {
    finishing = false;
    mistake.textContent = mistake.dataset.noAnswer ?? '';
    // The digits may have been right: then the ticket says so.
    await finishIfSeen();
    return;
  }
  if (response.ok) {
    go((await response.json()).redirectTo);
    return;
  }
  finishing = false;
  const { error } = await response.json();
  if (error === 'wrong_check_code' || error === 'check_code_required') askAgain(mistake.dataset.text);
  else if (error === 'too_many_requests') askAgain(mistake.dataset.tooOften);
  // Another tab has signed somebody in meanwhile: the page asks about it once it is made anew.
  else if (error === 'account_switch') location.reload();
  else giveUpOn(response);
}

function askAgain(because: string | undefined): void {
  mistake.textContent = because ?? '';
  form.reset();
  field.focus();
}

/** Signs in here with a passkey, without a phone. */
async function signInHere(form: HTMLFormElement): Promise<void> {
  const problem = find<HTMLElement>(form, '[role=alert]');
  problem.textContent = '';
  const proof = await askForPasskey(form.dataset.passkey ?? '');
  // The page says who would be signed out; where it does not, that must be agreed to.
  const switchAccount = form.dataset.switchAccount ?? '';
  const response = proof === undefined ? undefined : await post('qr/passkey', { proof, switchAccount });
  if (response?.ok) return go((await response.json()).redirectTo);
  problem.textContent = problem.dataset.text ?? '';
  if (response === undefined) return;
  const { error } = await response.json();
  if (error === 'account_switch') location.reload();
  else giveUpOn(response);
}

async function leave(): Promise<void> {
  const response = await post('cancel');
  if (response.ok) go((await response.json()).redirectTo);
  else giveUpOn(response);
}

/** What becomes of the interaction now is the provider's business, and no news for this page. */
function go(to: string): void {
  leaving.abort();
  asking.abort();
  location.assign(to);
}

/** 404: the interaction has ended, so nothing here can lead on. Whatever else it was, the watched state will tell. */
function giveUpOn(response: Response): void {
  if (response.status === 404) onGone();
}

function onGone(): void {
  turnTo('gone');
}

/** Sends until an answer comes: repeating is harmless, except for a check code, each of which counts as a try. */
async function post(path: string, body: Record<string, string> = {}): Promise<Response> {
  for (;;) {
    try {
      const response = await fetch(`${self}/${path}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
        body: JSON.stringify(body),
      });
      // A server error is over soon, too; what stands in it may be a proxy's page.
      if (response.status < 500 && (response.status !== 429 || body.checkCode !== undefined)) return response;
    } catch {
      // Offline, or the server restarts: try again below.
    }
    if (body.checkCode !== undefined) throw new Error('there was no answer');
    await rest(RETRY_AFTER);
  }
}

function find<E extends Element = Element>(within: ParentNode, selector: string): E {
  const element = within.querySelector<E>(selector);
  if (element === null) throw new Error(`the page has no ${selector}`);
  return element;
}

function instead(selector: string, act: () => Promise<void>): void {
  for (const button of page.querySelectorAll<HTMLFormElement>(selector)) {
    let acting = false;
    button.addEventListener('submit', async (event) => {
      event.preventDefault();
      // While the server is away an act goes on by itself: one is enough.
      if (acting) return;
      acting = true;
      await act().finally(() => {
        acting = false;
      });
    });
  }
}

if (passkey !== null) instead('form[data-passkey]', () => signInHere(passkey));
instead('form[data-renew]', renew);
instead('form[data-cancel]', leave);
instead('form[data-finish]', () =>
  finish({
    ...(page.dataset.screen === 'check-code' && { checkCode: field.value }),
    ...(!other.disabled && { switchAccount: 'yes' }),
  }),
);
document.addEventListener('visibilitychange', () => {
  void renewIfSeen();
  void finishIfSeen();
});
// Back from the RP: what the browser kept of this page is old.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});
tick();
setInterval(tick, 1000);
void watchTicket(self, { onTicket: show, onGone }, leaving.signal);
