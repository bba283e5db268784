import { toReadableText } from '../../oidc/request/readable-text.ts';
import { findKnownBrowser, type KnownBrowsers } from '../../ticket/browsers/known-browser.ts';
import type { SignedInBrowsers } from '../../ticket/browsers/signed-in-browser.ts';
import { QrLoginError } from '../../ticket/errors.ts';
import type { Notes } from '../../ticket/ports.ts';
import type { SignInRevocation } from './revocation.ts';

/** The most characters of a name, as a reader counts them. */
const LONGEST_NAME = 40;

const CONTROL = /\p{Cc}/u;
const characters = new Intl.Segmenter('und', { granularity: 'grapheme' });

/**
 * A name is kept this long for a browser that has not begun its session. Interactions wait for an hour by default
 * (`ttl.Interaction`).
 */
const PENDING_MS = 24 * 60 * 60_000;

/** A sign-in that a browser has finished, with the ids by which the account's lists contain the browser. */
export interface NamedSignIn {
  readonly ticketId: string;
  /** The id of its session on the list of signed-in browsers. */
  readonly id: string;
  /** The id that the browser has on the list of trusted browsers, if the account trusts it. */
  readonly knownAs: string;
}

export interface BrowserNamePorts {
  readonly browsers: Pick<SignedInBrowsers, 'list' | 'rename'>;
  readonly known: Pick<KnownBrowsers, 'list' | 'rename'>;
  readonly notes: Pick<Notes, 'read' | 'write'>;
  readonly revocation: Pick<SignInRevocation, 'find' | 'hasRevoked'>;
}

/**
 * Reads the name that a user gives a browser.
 * @returns undefined if nothing visible was typed: then the browser has no name
 * @throws QrLoginError `invalid_request` if it is too long, or has control characters
 */
export function readBrowserName(typed: string): string | undefined {
  const label = toReadableText(typed.normalize('NFC'));
  const isTooLong = [...characters.segment(label)].length > LONGEST_NAME;
  if (isTooLong || CONTROL.test(typed)) {
    throw new QrLoginError(
      'invalid_request',
      `A name has at most ${LONGEST_NAME} characters, and no control characters.`,
    );
  }
  return label === '' ? undefined : label;
}

/** The names that users give the browsers that they are signed in to, or that they trust. */
export class BrowserNames {
  readonly #ports: BrowserNamePorts;

  constructor(ports: BrowserNamePorts) {
    this.#ports = ports;
  }

  /**
   * Names a browser on each of the account's lists that contains it.
   * @param label undefined to remove the name
   * @returns false if neither list contains it. A browser of another account is treated as unknown.
   */
  rename(accountId: string, id: string, label: string | undefined): Promise<boolean> {
    return this.#renameThose(accountId, label, (browser) => browser.id === id);
  }

  /**
   * Names the browser that was signed in by a ticket, even before its session has begun.
   * @returns false if the account has no such sign-in, or has taken it back
   */
  async renameSignedInBy(accountId: string, ticketId: string, label: string | undefined): Promise<boolean> {
    const { notes, revocation } = this.#ports;
    const [signIn, isRevoked] = await Promise.all([
      revocation.find(accountId, ticketId),
      revocation.hasRevoked(accountId, ticketId),
    ]);
    if (signIn === undefined || isRevoked) return false;
    // Write the note first, so that a browser that is listed from here on finds it.
    await notes.write(noteKeyOf(ticketId), PENDING_MS, label ?? '');
    await this.#renameThose(accountId, label, (browser) => browser.signIn?.ticketId === ticketId);
    return true;
  }

  /** Gives a browser that is new on the lists the name that its user has chosen, now or at an earlier sign-in. */
  async apply(accountId: string, { ticketId, id, knownAs }: NamedSignIn): Promise<void> {
    const { browsers, known, notes } = this.#ports;
    const [chosen, trusted] = await Promise.all([
      notes.read(noteKeyOf(ticketId)),
      findKnownBrowser(known, accountId, knownAs),
    ]);
    const label = chosen ?? trusted?.label;
    if (label === undefined) return;
    await browsers.rename(accountId, id, label || undefined);
    if (trusted !== undefined && trusted.label !== label) await known.rename(accountId, knownAs, label || undefined);
  }

  async #renameThose(
    accountId: string,
    label: string | undefined,
    isMeant: (browser: Pick<BrowserRecord, 'id' | 'signIn'>) => boolean,
  ): Promise<boolean> {
    const { browsers, known } = this.#ports;
    const [signedIn, trusted] = await Promise.all([browsers.list(accountId), known.list(accountId)]);
    const sessions = new Set([...signedIn, ...trusted].filter(isMeant).map(({ sessionUid }) => sessionUid));
    const isOfThese = ({ sessionUid }: BrowserRecord): boolean => sessions.has(sessionUid);
    await Promise.all([
      ...signedIn.filter(isOfThese).map(({ id }) => browsers.rename(accountId, id, label)),
      ...trusted.filter(isOfThese).map(({ id }) => known.rename(accountId, id, label)),
    ]);
    return sessions.size > 0;
  }
}

type BrowserRecord = Awaited<ReturnType<SignedInBrowsers['list'] | KnownBrowsers['list']>>[number];

function noteKeyOf(ticketId: string): string {
  return `name:${ticketId}`;
}
