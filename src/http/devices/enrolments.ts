import type { Context } from 'koa';
import type { Provider } from '../../oidc/provider.ts';
import { type BrowserKey, isSignedBy } from '../../ticket/browsers/browser-key.ts';
import { type EnrolledBy, enrolmentId, findEnrolledBrowser, hasSignedCode } from '../../ticket/browsers/enrolment.ts';
import {
  findKnownBrowser,
  type KnownBrowser,
  type KnownBrowsers,
  TRUST_LIFETIME_MS,
} from '../../ticket/browsers/known-browser.ts';
import type { Clock, Notes } from '../../ticket/ports.ts';
import { WRITTEN_FORMAT } from '../../ticket/record-format.ts';
import { refusal } from '../../ticket/requirements.ts';
import type { ApprovedTicket, Approver, Place, RedeemedTicket, Ticket } from '../../ticket/ticket.ts';
import { announceEnrolled, announceUnenrolled } from '../events/enrolment-events.ts';
import type { EnrolmentRule } from '../hooks/hooks.ts';
import type { SignInRevocation } from './revocation.ts';

/** A browser that an account enrols. */
export interface NewEnrolment {
  readonly accountId: string;
  /** The public part of the browser's key. */
  readonly key: BrowserKey;
  readonly by: EnrolledBy;
  /**
   * The time of the proof, in milliseconds since the epoch: "sign out all" and "Forget" take back what was proven
   * before.
   */
  readonly provenAt: number;
  /** The ticket of the action that enrols the browser, if there is one. A report of it takes the enrolment back. */
  readonly ticketId?: string;
  readonly name?: string | undefined;
  readonly system?: string | undefined;
  readonly place?: Place | undefined;
}

export interface EnrolmentPorts {
  readonly provider: Provider;
  readonly known: KnownBrowsers;
  readonly notes: Pick<Notes, 'read' | 'write'>;
  readonly revocation: Pick<SignInRevocation, 'isRevoked'>;
  readonly clock: Clock;
  readonly settings: { readonly enrolled?: EnrolmentRule | undefined };
}

/** The time for which the end of an enrolment is remembered: longer than an approval of an enrolment can be used. */
const ENDED_KEPT_MS = 2 * 60 * 60_000;

/** The browsers that accounts have enrolled. For some accounts, a code can be approved only for such a browser. */
export class Enrolments {
  readonly #ports: EnrolmentPorts;

  constructor(ports: EnrolmentPorts) {
    this.#ports = ports;
  }

  /** True if the deployment has a rule by which some accounts may be used in enrolled browsers only. */
  get isOffered(): boolean {
    return this.#ports.settings.enrolled !== undefined;
  }

  /**
   * Enrols a browser. If the account has enrolled it before, that record is used again.
   * @param ctx undefined if the deployment enrols it
   * @returns false if the account has ended this enrolment since the proof: by "sign out all", "Forget" or a report
   */
  async enrolBrowser(ctx: Context | undefined, { ticketId, ...enrolment }: NewEnrolment): Promise<boolean> {
    const { accountId, key, by, provenAt, ...described } = enrolment;
    const { provider, known, revocation, clock } = this.#ports;
    const id = enrolmentId(key);
    const hasEnded = async (): Promise<boolean> => {
      const ends = [
        revocation.isRevoked({ accountId, ticketId: ticketId ?? id, approvedAt: provenAt }),
        this.hasEndedSince(accountId, id, provenAt),
      ];
      return (await Promise.all(ends)).includes(true);
    };
    // Check before the record is written, too: a repeated request must not bring an ended enrolment back, even for a
    // moment.
    if (await hasEnded()) return false;
    const before = await findEnrolledBrowser(known, accountId, key);
    const { name, system, place } = described;
    await known.put(accountId, {
      ...before,
      format: WRITTEN_FORMAT,
      id,
      // This is the id of no session, because a sign-out must not end the enrolment.
      sessionUid: id,
      ...(name !== undefined && { name }),
      ...(system !== undefined && { system }),
      ...(place !== undefined && { place }),
      key: { x: key.x, y: key.y },
      enrolledBy: before?.enrolledBy ?? by,
      trustedAt: before?.trustedAt ?? clock(),
      ...this.#use(),
    });
    // Check after the record is written: "sign out all", "Forget" and a report write their notes first, and then remove
    // what they find.
    if (await hasEnded()) {
      await known.remove(accountId, id);
      return false;
    }
    if (before === undefined) announceEnrolled(provider, ctx, { ...enrolment, ticketId });
    return true;
  }

  /**
   * Enrols the browser whose enrolment the phone has approved and the browser has confirmed, with the key that the
   * action was made with. A repeated request changes nothing.
   */
  async enrolApproved(
    ctx: Context,
    { id: ticketId, request, approver, approvedAt, browser }: RedeemedTicket,
  ): Promise<void> {
    const key = request.action?.enrols;
    if (key === undefined) return;
    const { accountId } = approver;
    const { name, system, place } = browser;
    const proof = { by: 'action', provenAt: approvedAt, ticketId } as const;
    await this.enrolBrowser(ctx, { accountId, key, ...proof, name, system, place });
  }

  /**
   * Ends the trust of an account in a browser, or in all. What was proven before cannot enrol it again.
   * @param id the id of its record, or `all`
   */
  async forget(ctx: Context, accountId: string, id: string): Promise<void> {
    const { known } = this.#ports;
    const list = await known.list(accountId);
    await this.#remove(
      ctx,
      accountId,
      list.filter((browser) => id === 'all' || browser.id === id),
    );
  }

  /**
   * Notes the key of the browser that shows a ticket.
   * @returns false if the key has not signed the code on the screen
   */
  async noteShown(ticket: Ticket, key: BrowserKey, code: string, signature: string): Promise<boolean> {
    if (!this.isShownBy(ticket, key, code, signature)) return false;
    const { notes, clock } = this.#ports;
    const { x, y } = key;
    await notes.write(noteKeyOf(ticket.id), Math.max(1, ticket.endsAt - clock()), JSON.stringify({ x, y }));
    return true;
  }

  /**
   * Returns the key of the browser that shows a ticket, if the approver's account may be used in enrolled browsers
   * only; `false` if this browser is not enrolled; undefined if the account may be used anywhere.
   */
  findEnrolledKey = async (
    ticket: Ticket,
    { accountId }: Pick<Approver, 'accountId'>,
  ): Promise<BrowserKey | false | undefined> => {
    if (!(await this.#isDemanded(ticket, accountId))) return undefined;
    const key = await this.#findShown(ticket.id);
    return key !== undefined && (await this.isEnrolled(accountId, key)) ? key : false;
  };

  /** Returns true if the approver may not approve, because the browser is not enrolled. */
  async isMissing(ticket: Ticket, approver: Approver): Promise<boolean> {
    return ticket.state === 'scanned' && (await this.findEnrolledKey(ticket, approver)) === false;
  }

  /**
   * Ensures that an enrolled browser finishes: it is still enrolled, and its key has signed this very approval.
   * @throws QrLoginError `not_enrolled`
   */
  async assertEnrolled(ticket: ApprovedTicket, signature: string | undefined): Promise<void> {
    const { approver, enrolledKey: key } = ticket;
    const { accountId } = approver;
    if (key === undefined && !(await this.#isDemanded(ticket, accountId))) return;
    const isStillEnrolled = key !== undefined && (await this.isEnrolled(accountId, key));
    if (!isStillEnrolled || !isSignedBy(key, ticket, signature)) throw refusal('enrolled');
  }

  /** Returns true if a sign-in that an enrolled browser has finished may not begin any more. */
  async isWithdrawn(accountId: string, key: BrowserKey | undefined): Promise<boolean> {
    return key !== undefined && !(await this.isEnrolled(accountId, key));
  }

  /** Notes a sign-in in an enrolled browser, so that a report of the sign-in finds the browser. */
  async noteSignIn(accountId: string, key: BrowserKey, signIn: KnownBrowser['signIn']): Promise<void> {
    const { known } = this.#ports;
    const browser = await findEnrolledBrowser(known, accountId, key);
    if (browser !== undefined)
      await known.put(accountId, { ...browser, ...(signIn !== undefined && { signIn }), ...this.#use() });
  }

  /**
   * Returns true if the account has ended its enrolment of a browser after the proof.
   * @param id the id of the browser's record
   * @param provenAt the time of the proof, in milliseconds since the epoch
   */
  async hasEndedSince(accountId: string, id: string, provenAt: number): Promise<boolean> {
    const endedAt = await this.#ports.notes.read(endedKeyOf(accountId, id));
    return endedAt !== undefined && provenAt <= Number(endedAt);
  }

  /** Ends the enrolment of the browser that shows a ticket, because the account has reported the ticket. */
  async withdraw(ctx: Context, { id, request }: Pick<Ticket, 'id' | 'request'>, accountId: string): Promise<void> {
    if (!this.isOffered) return;
    const key = request.action?.enrols ?? (await this.#findShown(id));
    const browser = key && (await findKnownBrowser(this.#ports.known, accountId, enrolmentId(key)));
    if (browser !== undefined) await this.#remove(ctx, accountId, [browser]);
  }

  async #remove(ctx: Context, accountId: string, browsers: readonly KnownBrowser[]): Promise<void> {
    const { provider, known, notes, clock } = this.#ports;
    const enrolled = browsers.filter(({ enrolledBy }) => enrolledBy !== undefined);
    await Promise.all(enrolled.map(({ id }) => notes.write(endedKeyOf(accountId, id), ENDED_KEPT_MS, `${clock()}`)));
    await Promise.all(browsers.map(({ id }) => known.remove(accountId, id)));
    announceUnenrolled(provider, ctx, accountId, enrolled);
  }

  /** Returns true if the key has signed the code on the screen of the ticket's browser. */
  isShownBy(ticket: Ticket, key: BrowserKey, code: string, signature: string): boolean {
    return hasSignedCode(key, ticket, code, signature);
  }

  /** Returns true if the account has enrolled the browser with this key, and has not withdrawn the enrolment. */
  async isEnrolled(accountId: string, key: BrowserKey): Promise<boolean> {
    return (await findEnrolledBrowser(this.#ports.known, accountId, key)) !== undefined;
  }

  async #findShown(ticketId: string): Promise<BrowserKey | undefined> {
    const note = await this.#ports.notes.read(noteKeyOf(ticketId));
    return note === undefined ? undefined : (JSON.parse(note) as BrowserKey);
  }

  /**
   * Returns true if this account needs an enrolled browser. An action needs none: it signs no browser in, and may be
   * the way to enrol one.
   */
  async #isDemanded({ request }: Pick<Ticket, 'request'>, accountId: string): Promise<boolean> {
    if (request.action !== undefined) return false;
    return (await this.#ports.settings.enrolled?.(request.client, accountId)) === true;
  }

  #use(): Pick<KnownBrowser, 'lastUsedAt' | 'endsAt'> {
    const now = this.#ports.clock();
    return { lastUsedAt: now, endsAt: now + TRUST_LIFETIME_MS };
  }
}

/** Returns the name of the note. It contains the account, because several accounts may enrol the same browser. */
function endedKeyOf(accountId: string, id: string): string {
  return `unenrolled:${JSON.stringify([accountId, id])}`;
}

function noteKeyOf(ticketId: string): string {
  return `shown-key:${ticketId}`;
}
