import { type BrowserKey, isSignedBy } from '../../ticket/browsers/browser-key.ts';
import { type EnrolledBy, enrolmentId, findEnrolledBrowser, hasSignedCode } from '../../ticket/browsers/enrolment.ts';
import { type KnownBrowser, type KnownBrowsers, TRUST_LIFETIME_MS } from '../../ticket/browsers/known-browser.ts';
import type { Clock, Notes } from '../../ticket/ports.ts';
import { WRITTEN_FORMAT } from '../../ticket/record-format.ts';
import { refusal } from '../../ticket/requirements.ts';
import type { ApprovedTicket, Approver, Place, Ticket } from '../../ticket/ticket.ts';
import type { EnrolmentRule } from '../hooks/hooks.ts';
import type { SignInRevocation } from './revocation.ts';

/** A browser that an account enrols. */
export interface NewEnrolment {
  readonly accountId: string;
  /** The public part of the browser's key. */
  readonly key: BrowserKey;
  readonly by: EnrolledBy;
  /** The time of the proof, in milliseconds since the epoch: "sign out all" takes back what was proven before. */
  readonly provenAt: number;
  readonly name?: string | undefined;
  readonly system?: string | undefined;
  readonly place?: Place | undefined;
}

export interface EnrolmentPorts {
  readonly known: KnownBrowsers;
  readonly notes: Pick<Notes, 'read' | 'write'>;
  readonly revocation: Pick<SignInRevocation, 'isRevoked'>;
  readonly clock: Clock;
  readonly settings: { readonly enrolled?: EnrolmentRule | undefined };
}

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
   * @returns the id of its record
   */
  async enrolBrowser({ accountId, key, by, provenAt, ...described }: NewEnrolment): Promise<string> {
    const { known, revocation, clock } = this.#ports;
    const id = enrolmentId(key);
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
    // Check after the record is written: "sign out all" writes its note first, and then removes what it finds.
    if (await revocation.isRevoked({ accountId, ticketId: id, approvedAt: provenAt }))
      await known.remove(accountId, id);
    return id;
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

  /** Ends the enrolment of the browser that shows a ticket, because the account has reported it. */
  async withdraw(ticketId: string, accountId: string): Promise<void> {
    if (!this.isOffered) return;
    const key = await this.#findShown(ticketId);
    if (key !== undefined) await this.#ports.known.remove(accountId, enrolmentId(key));
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

function noteKeyOf(ticketId: string): string {
  return `shown-key:${ticketId}`;
}
