/**
 * Runs the real `Ceremony` with the model's clock, phones and interactions, on any store. Records all writes and all
 * signals to watchers.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Keyv } from 'keyv';
import { KeyvBrowserList } from '../../../src/stores/memory/browser-list.ts';
import { KeyvPendingRequests } from '../../../src/stores/memory/pending-requests.ts';
import type { FinishInput, ShowInput } from '../../../src/ticket/browser.ts';
import type { KnownBrowser } from '../../../src/ticket/browsers/known-browser.ts';
import { Ceremony } from '../../../src/ticket/ceremony.ts';
import type { Outcome } from '../../../src/ticket/change.ts';
import { checkCodeOf, WrongCheckCode } from '../../../src/ticket/codes/check-code.ts';
import { Codes } from '../../../src/ticket/codes/code.ts';
import { QrLoginError } from '../../../src/ticket/errors.ts';
import type { KnownTicket } from '../../../src/ticket/phone.ts';
import type { Listener, Notes, Signals, TicketStore } from '../../../src/ticket/ports.ts';
import { SecretKeys } from '../../../src/ticket/secret-keys.ts';
import { type Approver, ownerOf, type Ticket } from '../../../src/ticket/ticket.ts';
import { blocksIn, browserOf, LIFETIMES, SECRETS, signInRequest } from '../../ticket/builders.ts';
import { type Act, APPROVERS, DEMANDS, ENDS, type Setup, START } from './acts.ts';
import type { Ending, Row } from './model.ts';
import { ForgetfulStore, WatchedStore, type Write } from './stores.ts';

/** The store and the signals of the ceremony. */
export interface Stores {
  readonly store: TicketStore;
  readonly signals: Signals;
  /** The store of the phones, if they are in another process. */
  readonly phoneStore?: TicketStore;
}

/** Wraps the store that the ceremony uses, to break it or to slow it down. */
export type StoreWrapper = (store: TicketStore) => TicketStore;

/**
 * The act to which a write belongs. All scenes share one AsyncLocalStorage, because each additional one makes all
 * promises slower.
 */
const acting = new AsyncLocalStorage<Act>();

let scenes = 0;

export class Scene {
  readonly setup: Setup;
  now: number = START;
  readonly authenticated: number[] = APPROVERS.map((person) => person.authenticatedAt);
  readonly keys: SecretKeys = new SecretKeys(SECRETS);
  /** Every id that was ever shown, in order. */
  readonly ids: string[] = [];
  readonly writes: Write[] = [];
  readonly heard: Ticket[][] = [[], []];
  readonly #name: string;
  readonly #store: TicketStore;
  readonly #browsers: Ceremony;
  readonly #phones: Ceremony;
  readonly #subscriptions: (() => void)[];

  constructor(
    setup: Setup,
    { store, signals, phoneStore: elsewhere = store }: Stores,
    around: StoreWrapper = (same) => same,
  ) {
    this.setup = setup;
    scenes += 1;
    this.#name = `${process.pid} ${Date.now()} ${scenes}`;
    const clock = (): number => this.now;
    const wrapStore = (bare: TicketStore): TicketStore => {
      const watched = new WatchedStore(bare, (write) => this.#note(write));
      return setup.forgets ? new ForgetfulStore(watched, clock) : watched;
    };
    this.#store = wrapStore(store);
    const known = new KeyvBrowserList<KnownBrowser>(new Keyv(), 'known', clock);
    const requests = new KeyvPendingRequests(new Keyv(), clock);
    const ports = {
      notes: new UnexpiringNotes(),
      known,
      blocks: blocksIn(new Keyv(), clock),
      requests,
      clock,
      keys: this.keys,
      codes: new Codes(this.keys, 10_000),
    };
    this.#browsers = new Ceremony({ ...ports, store: around(this.#store), lifetimes: LIFETIMES });
    this.#phones = new Ceremony({ ...ports, store: around(wrapStore(elsewhere)), lifetimes: LIFETIMES });
    this.#subscriptions = this.heard.map((heard, at) => {
      const listener: Listener = {
        hear: (ticket) => {
          if (ticket !== undefined) heard.push(ticket);
        },
      };
      signals.subscribe(this.interaction(at), listener);
      return () => signals.unsubscribe(this.interaction(at), listener);
    });
  }

  close(): void {
    for (const stop of this.#subscriptions) stop();
  }

  interaction(at: number): string {
    return `${this.#name} ${at}`;
  }

  /** Does the act. @returns its ending @throws an error that is not a refusal */
  act(act: Act): Promise<Ending> {
    return acting.run(act, async () => {
      try {
        return await this.#act(act);
      } catch (error) {
        if (error instanceof WrongCheckCode && error.cancelledTicket)
          return { refused: error.code, ended: error.cancelledTicket.id };
        if (error instanceof QrLoginError) return { refused: error.code };
        throw error;
      }
    });
  }

  /** Returns the ticket that is in the store now. */
  async row(id: string): Promise<Row | undefined> {
    return this.#row(await this.#store.find(id));
  }

  async rowAt(at: number): Promise<Row | undefined> {
    return this.#row(await this.#store.findByInteraction(this.interaction(at)));
  }

  async #act(act: Act): Promise<Ending> {
    const { browser } = this.#browsers;
    switch (act.do) {
      case 'wait':
        this.now += act.milliseconds;
        return { answer: 'done' };
      case 'wait for the end': {
        const deadline = (await this.rowAt(act.at))?.deadline ?? this.now;
        this.now = Math.max(this.now, act.justBefore ? deadline - 1 : deadline);
        return { answer: 'done' };
      }
      case 'sign in again':
        this.authenticated[act.phone] = Math.floor(this.now / 1000);
        return { answer: 'done' };
      case 'show':
        return this.#endingOf(await browser.show(this.#showing(act)));
      case 'renew':
        return this.#endingOf(await browser.renew(this.#showing(act), act.seen));
      case 'watch':
        return this.#endingOf({ ticket: await browser.look(this.#identity(act)), changed: false });
      case 'finish':
        return this.#endingOf(
          await browser.finish(this.#identity(act), await this.#inputOf(act), {
            account: async () => {
              if (act.isDisabled) throw new QrLoginError('account_unavailable', 'It was disabled.');
            },
          }),
        );
      case 'sign in here': {
        const demand = { request: this.#showing(act).request };
        const user = { ...this.#approver(act.phone), forTicket: true as const };
        const input = { switchAccount: act.agrees };
        return this.#endingOf(await browser.signInHere(this.#identity(act), user, { demand, input }));
      }
      case 'cancel':
        return this.#endingOf(await browser.cancel(this.#identity(act)));
      case 'is reported':
        return { answer: await browser.isReported(this.interaction(act.at)) };
      default:
        return this.#onPhone(act);
    }
  }

  async #onPhone(act: Extract<Act, { readonly ticket: string }>): Promise<Ending> {
    const { phone } = this.#phones;
    const { ticket: id } = act;
    const approver = this.#approver(act.phone);
    const seen = act.looksFirst ? await phone.preview(id) : undefined;
    const known: KnownTicket = { ticket: seen, isReported: seen && phone.isReported(seen, approver) };
    if (act.do === 'scan') return this.#endingOf(await phone.scan(id, approver, { judge: () => act.verdict, known }));
    if (act.do === 'open') return this.#endingOf({ ticket: await phone.look(id, approver, seen), changed: false });
    if (act.do === 'deny') return this.#endingOf(await phone.deny(id, approver, seen));
    if (act.do === 'report') {
      // The model does not predict which ticket the answer shows. That ticket must not be another account's.
      const owner = ownerOf((await phone.report(id, approver, seen)).ticket);
      const isOurs = owner === undefined || owner.accountId === approver.accountId;
      return { answer: isOurs ? 'done' : 'a ticket of another account' };
    }
    if (act.do === 'give up') return this.#endingOf(await phone.giveUp(id, approver, seen));
    const { remember, verdict } = act;
    return this.#endingOf(await phone.approve(id, { approver, remember, judge: () => verdict }, known));
  }

  #showing({ at, browser }: { readonly at: number; readonly browser: number }): ShowInput {
    const source = this.setup.oneSource ? '192.0.2.1' : `192.0.2.${2 + browser}`;
    return {
      interaction: this.interaction(at),
      endsAt: ENDS,
      request: signInRequest({ requirements: DEMANDS[this.setup.demands[at] ?? 'nothing'] }),
      browser: { ...browserOf(`browser ${browser}`), source },
    };
  }

  #identity(act: Extract<Act, { readonly browser: number }>): Parameters<Ceremony['browser']['look']>[0] {
    const accountId = 'signedIn' in act ? act.signedIn : undefined;
    return { interaction: this.interaction(act.at), binding: `browser ${act.browser}`, accountId };
  }

  /** Returns the user's input: the right, a wrong or no check code, and whether the user agrees to switch accounts. */
  async #inputOf({ at, types, agrees }: Extract<Act, { do: 'finish' }>): Promise<FinishInput> {
    const id = (await this.rowAt(at))?.id ?? '';
    const right = checkCodeOf(this.keys, id);
    const typed = { right, wrong: right === '000000' ? '000001' : '000000', nonsense: '12 34 5', nothing: undefined };
    return { checkCode: typed[types], switchAccount: agrees };
  }

  #approver(phone: number): Approver {
    const person = APPROVERS[phone];
    if (person === undefined) throw new RangeError(`there is no phone ${phone}`);
    return { ...person, authenticatedAt: this.authenticated[phone] ?? person.authenticatedAt };
  }

  #endingOf(outcome: (Omit<Outcome, 'ticket'> & { ticket: Ticket | undefined; voided?: Ticket }) | undefined): Ending {
    const row = this.#row(outcome?.ticket);
    if (outcome === undefined || row === undefined) return { answer: 'nothing' };
    return { row, changed: outcome.changed, ...(outcome.voided && { voided: outcome.voided.id }) };
  }

  #row(ticket: Ticket | undefined): Row | undefined {
    if (ticket === undefined) return undefined;
    const { id, state, version, shownAt, deadline } = ticket;
    const approver = 'approver' in ticket ? ticket.approver : undefined;
    return {
      id,
      at: [0, 1].findIndex((at) => this.interaction(at) === ticket.interaction),
      by: Number(ticket.browser.binding.at(-1)),
      state,
      version,
      shownAt,
      deadline,
      ...(approver && {
        owner: `${approver.accountId} ${approver.sessionUid}`,
        ...(state !== 'denied' && {
          authenticatedAt: approver.authenticatedAt,
          ...(approver.forTicket && { forTicket: true }),
        }),
      }),
      ...('because' in ticket && { because: ticket.because }),
      ...('remember' in ticket && { remember: ticket.remember }),
      ...(ticket.state === 'approved' && ticket.checkCode && { wrongTries: ticket.checkCode.wrongTries }),
    };
  }

  #note(write: Omit<Write, 'act' | 'now'>): void {
    const act = acting.getStore();
    this.writes.push({ ...write, act, now: this.now });
    if (!this.ids.includes(write.next.id)) this.ids.push(write.next.id);
  }
}

/**
 * Notes that do not expire, as the reports in the model do not. A walk (a random sequence of acts) seldom lasts as long
 * on the model's clock as a report is kept, an hour.
 */
class UnexpiringNotes implements Notes {
  readonly #written = new Map<string, string>();

  async write(name: string, _lasts: number, value: string = ''): Promise<void> {
    this.#written.set(name, value);
  }

  async claim(name: string): Promise<boolean> {
    if (this.#written.has(name)) return false;
    this.#written.set(name, '');
    return true;
  }

  async read(name: string): Promise<string | undefined> {
    return this.#written.get(name);
  }
}
