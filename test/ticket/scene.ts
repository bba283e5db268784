/** The ceremony on an in-memory store, with a clock that only the test advances. */
import { Keyv } from 'keyv';
import { LocalSignals } from '../../src/stores/local-signals.ts';
import { KeyvBrowserList } from '../../src/stores/memory/browser-list.ts';
import { KeyvNotes } from '../../src/stores/memory/notes.ts';
import { KeyvPendingRequests } from '../../src/stores/memory/pending-requests.ts';
import { KeyvTicketStore } from '../../src/stores/memory/ticket-store.ts';
import type { BrowserIdentity, ShowInput } from '../../src/ticket/browser.ts';
import type { KnownBrowsers } from '../../src/ticket/browsers/known-browser.ts';
import { Ceremony } from '../../src/ticket/ceremony.ts';
import { Codes } from '../../src/ticket/codes/code.ts';
import { ShortCodes } from '../../src/ticket/codes/short-code.ts';
import type { TicketStore } from '../../src/ticket/ports.ts';
import type { Verdict } from '../../src/ticket/risk.ts';
import { SecretKeys } from '../../src/ticket/secret-keys.ts';
import type { ApprovedTicket, Ticket } from '../../src/ticket/ticket.ts';
import { alice, blocksIn, browserOf, ENDS_AT, LIFETIMES, NOW, SECRETS, signInRequest } from './builders.ts';

export const INTERACTION = 'interaction';
export const ME: BrowserIdentity = { interaction: INTERACTION, binding: 'binding' };
export const FOREIGN: BrowserIdentity = { interaction: INTERACTION, binding: 'binding of another browser' };
export const UNKNOWN: BrowserIdentity = { interaction: 'unknown', binding: 'binding' };

export function showInput(more: Partial<ShowInput> = {}): ShowInput {
  return {
    interaction: INTERACTION,
    endsAt: ENDS_AT,
    request: signInRequest(),
    browser: browserOf(ME.binding),
    ...more,
  };
}

/** A store that lets a test act immediately before a write. */
class InterruptedStore implements TicketStore {
  readonly #store: TicketStore;
  beforeCreate: () => Promise<unknown> = async () => undefined;
  beforeSwap: () => Promise<unknown> = async () => undefined;

  constructor(store: TicketStore) {
    this.#store = store;
  }

  find(id: string): Promise<Ticket | undefined> {
    return this.#store.find(id);
  }

  findByInteraction(uid: string): Promise<Ticket | undefined> {
    return this.#store.findByInteraction(uid);
  }

  async create(ticket: Ticket): Promise<boolean> {
    await once(this, 'beforeCreate');
    return this.#store.create(ticket);
  }

  async swap(previous: Ticket, next: Ticket, ended?: Ticket): Promise<boolean> {
    await once(this, 'beforeSwap');
    return this.#store.swap(previous, next, ended);
  }
}

/** Calls the interruption only once, because it may write and must not interrupt itself. */
async function once(store: InterruptedStore, name: 'beforeCreate' | 'beforeSwap'): Promise<void> {
  const interrupt = store[name];
  store[name] = async () => undefined;
  await interrupt();
}

export class Scene {
  now: number = NOW;
  readonly keyv: Keyv = new Keyv();
  readonly keys: SecretKeys = new SecretKeys(SECRETS);
  readonly codes: Codes = new Codes(this.keys, 10_000);
  readonly store: InterruptedStore;
  readonly ceremony: Ceremony;
  /** The tickets that the interaction's listeners received, in order. */
  readonly heard: Ticket[] = [];
  readonly notes: KeyvNotes = new KeyvNotes(this.keyv);
  readonly known: KnownBrowsers = new KeyvBrowserList(this.keyv, 'known', () => this.now);
  readonly shortCodes: ShortCodes = new ShortCodes(this.keys, this.notes);
  readonly #tickets: KeyvTicketStore;

  constructor() {
    const clock = (): number => this.now;
    const signals = new LocalSignals();
    this.#tickets = new KeyvTicketStore(this.keyv, clock, signals);
    this.store = new InterruptedStore(this.#tickets);
    this.ceremony = new Ceremony({
      store: this.store,
      notes: this.notes,
      known: this.known,
      blocks: blocksIn(this.keyv, clock),
      requests: new KeyvPendingRequests(this.keyv, clock),
      clock,
      keys: this.keys,
      codes: this.codes,
      shortCodes: this.shortCodes,
      lifetimes: LIFETIMES,
    });
    signals.subscribe(INTERACTION, {
      hear: (ticket) => {
        if (ticket !== undefined) this.heard.push(ticket);
      },
    });
  }

  get browser(): Ceremony['browser'] {
    return this.ceremony.browser;
  }

  get phone(): Ceremony['phone'] {
    return this.ceremony.phone;
  }

  /** Makes the browser show a code. @returns the ticket's id */
  async showCode(): Promise<string> {
    return (await this.browser.show(showInput())).ticket.id;
  }

  /** Makes the browser show a code and Alice scan it. @returns the ticket's id */
  async scanCode(): Promise<string> {
    const id = await this.showCode();
    await this.phone.scan(id, alice());
    return id;
  }

  /** Makes the browser show a code and Alice scan and approve it. @returns the ticket */
  async approveSignIn(verdict: Verdict = 'allow'): Promise<ApprovedTicket> {
    const { ticket } = await this.phone.approve(await this.scanCode(), { approver: alice(), judge: () => verdict });
    if (ticket.state !== 'approved') throw new Error(`the ticket is ${ticket.state}`);
    return ticket;
  }
}

/** Creates a new scene before each test. @returns a function that returns the current scene */
export function setUpScene(): () => Scene {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene();
  });
  return () => scene;
}
