import { type BrowserActs, isTaken, type Renewal, type ShowInput } from '../browser.ts';
import type { CeremonyPorts } from '../change.ts';
import { isLive, type NumberEntry, type Ticket } from '../ticket.ts';
import type { NotAsked, RequestQueue } from './request-queue.ts';

/** The data of a browser's request to ask the phones of the account that remembers it. */
export interface AskInput {
  /** The only account that may decide. */
  readonly accountId: string;
  readonly show: ShowInput;
  readonly entry: NumberEntry;
  /** The time that a phone has to open the request, in milliseconds. */
  readonly lasts: number;
}

/** The acts of browsers that ask phones, in place of showing a code. */
export class AskActs {
  readonly #ports: Pick<CeremonyPorts, 'clock'>;
  readonly #browser: Pick<BrowserActs, 'ask' | 'look' | 'renew'>;
  readonly #queue: RequestQueue;

  constructor(ports: Pick<CeremonyPorts, 'clock'>, browser: BrowserActs, queue: RequestQueue) {
    this.#ports = ports;
    this.#browser = browser;
    this.#queue = queue;
  }

  /**
   * Replaces the code on the browser's screen with a request that waits for the account. A repeated call gets the same
   * ticket, and a ticket that a phone has scanned stays.
   * @returns the reason if the account is not asked
   */
  async ask({ accountId, show, entry, lasts }: AskInput): Promise<Renewal | NotAsked> {
    const now = this.#ports.clock();
    const existing = await this.#browser.look({ interaction: show.interaction, binding: show.browser.binding });
    if (existing !== undefined && isLive(existing, now) && isTaken(existing)) return this.#repeat(existing);
    const until = Math.min(now + lasts, show.endsAt);
    const requirements = { ...show.request.requirements, accountId };
    const request = { ...show.request, requirements, asked: { entry, until } };
    const obstacle = await this.#queue.findObstacle({ id: '', deadline: until, request, browser: show.browser });
    if (obstacle !== undefined) return obstacle;
    const asked = await this.#browser.ask({ ...show, request });
    if (!asked.changed || (await this.#queue.add(asked.ticket))) return asked;
    await this.#browser.renew(show);
    return 'pending';
  }

  /** Adds a ticket to the list if an earlier call has failed after it had stored the ticket. */
  async #repeat(ticket: Ticket): Promise<Renewal> {
    const isMissing = ticket.state === 'waiting' && !(await this.#queue.has(ticket));
    return { ticket, changed: isMissing && (await this.#queue.add(ticket)) };
  }
}
