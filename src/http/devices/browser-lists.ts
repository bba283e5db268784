import type { Context } from 'koa';
import type { EndedSession } from '../../oidc/end-session.ts';
import type { Provider } from '../../oidc/provider.ts';
import { findSessionFacts, findSignInMethod, hasGranted } from '../../oidc/session/session-facts.ts';
import type { Duration } from '../../ticket/browsers/duration.ts';
import type { KnownBrowser, KnownBrowsers } from '../../ticket/browsers/known-browser.ts';
import type { SignedInBrowser, SignedInBrowsers } from '../../ticket/browsers/signed-in-browser.ts';
import { QrLoginError } from '../../ticket/errors.ts';
import type { Clock } from '../../ticket/ports.ts';
import type { Approver } from '../../ticket/ticket.ts';
import type { BrowserEntry } from '../pages/page-data.ts';
import { toSeconds } from '../request/responses.ts';
import { descriptionOf } from './browser-description.ts';
import type { BrowserPasskeyList } from './browser-passkey-list.ts';
import type { Enrolments } from './enrolments.ts';
import type { RemoteSignOut } from './remote-sign-out.ts';
import type { SignInRevocation } from './revocation.ts';
import type { StayChanges } from './stay-changes.ts';

/** The number of browsers that are signed out at a time. */
const BATCH_SIZE = 10;

export interface BrowserListPorts {
  readonly provider: Provider;
  readonly browsers: Pick<SignedInBrowsers, 'list'>;
  readonly known: KnownBrowsers;
  readonly enrolments: Pick<Enrolments, 'forget'>;
  readonly remoteSignOut: RemoteSignOut;
  readonly revocation: Pick<SignInRevocation, 'revokePending'>;
  readonly stayChanges: Pick<StayChanges, 'change'>;
  readonly browserPasskeyList: Pick<BrowserPasskeyList, 'remove'>;
  readonly clock: Clock;
  readonly settings: { readonly durations?: readonly Duration[] | undefined; readonly qrApprovers: boolean };
}

/**
 * Lists and signs out the browsers that an account is signed in to, for its pages and its apps. Without the option
 * `qrApprovers`, a device that was itself signed in by QR gets only those that were signed in by QR: a relayed sign-in
 * must not reach the owner's own devices.
 */
export class BrowserLists {
  readonly #ports: BrowserListPorts;

  constructor(ports: BrowserListPorts) {
    this.#ports = ports;
  }

  /** Returns the browser with this id, or none. A browser of another account is treated as unknown. */
  async find(approver: Approver, id: string): Promise<readonly SignedInBrowser[]> {
    const list = await this.#ports.browsers.list(approver.accountId);
    return this.#filterShown(
      approver,
      list.filter((browser) => browser.id === id),
    );
  }

  /**
   * Signs out one browser, or all except this device. `all` also ends the trust in every browser and removes the
   * passkeys of the browsers. If this device was itself signed in by QR, `all` includes this device.
   * @param id the id of a browser, or `all`
   */
  async end(ctx: Context, approver: Approver, id: string): Promise<EndedSession[]> {
    const { browsers, enrolments, revocation, browserPasskeyList } = this.#ports;
    const { accountId } = approver;
    if (id !== 'all') return this.#endThose(ctx, approver, await this.find(approver, id));
    await revocation.revokePending(accountId);
    await browserPasskeyList.remove(accountId, 'all');
    await enrolments.forget(ctx, accountId, 'all');
    const list = await this.#filterShown(approver, await browsers.list(accountId));
    const isKept = await Promise.all(list.map((browser) => !approver.byQr && this.#isHere(approver, browser)));
    return this.#endThose(
      ctx,
      approver,
      list.filter((_, index) => !isKept[index]),
    );
  }

  /** Returns the durations that the user of this device may give to browsers; none if there is no choice. */
  offeredDurations(approver: Approver): readonly Duration[] | undefined {
    return this.#isLimited(approver) ? undefined : this.#ports.settings.durations;
  }

  /**
   * Changes how long a browser stays signed in, from now on.
   * @returns false if it is not signed in (any more)
   * @throws QrLoginError `sign_in_again` on a device that was itself signed in by QR, which could prolong its own
   * session
   */
  async changeStay(approver: Approver, id: string, duration: Duration): Promise<boolean> {
    if (this.#isLimited(approver))
      throw new QrLoginError('sign_in_again', 'This device was itself signed in by QR: sign in on it directly first.');
    const [browser] = await this.find(approver, id);
    return browser !== undefined && this.#ports.stayChanges.change(approver.accountId, browser, duration);
  }

  /**
   * Ends these sessions. The session of this phone ends last, so that the user can try again if another session cannot
   * be ended.
   */
  async #endThose(
    ctx: Context,
    { accountId, sessionUid }: Approver,
    list: readonly SignedInBrowser[],
  ): Promise<EndedSession[]> {
    const { remoteSignOut } = this.#ports;
    const others = list.filter((browser) => browser.sessionUid !== sessionUid);
    const here = list.filter((browser) => browser.sessionUid === sessionUid);
    const ended: EndedSession[] = [];
    for (const batch of [...inBatches(others), here]) {
      const outcomes = await Promise.allSettled(batch.map((browser) => remoteSignOut.end(ctx, accountId, browser)));
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') throw outcome.reason;
        if (outcome.value !== undefined) ended.push(outcome.value);
      }
    }
    return ended;
  }

  /**
   * Returns the browsers with a session that still exists, the most recently used first. The device that asks is the
   * last one, unless it was itself signed in by QR.
   */
  async listSignedIn(approver: Approver): Promise<BrowserEntry[]> {
    const { provider, browsers, clock } = this.#ports;
    const { accountId } = approver;
    const list = [...(await browsers.list(accountId))].sort((one, other) => other.lastUsedAt - one.lastUsedAt);
    const entries = await Promise.all(
      list.map(async (browser) => {
        const { sessionUid, signedInAt } = browser;
        const [facts, isHere] = await Promise.all([
          findSessionFacts(provider, { accountId, sessionUid }),
          this.#isHere(approver, browser),
        ]);
        if (facts === undefined || (facts.signedInBy !== 'qr' && this.#isLimited(approver))) return [];
        const { clients, signedInBy, duration, endsAt } = facts;
        return {
          ...listedFieldsOf(browser, clock()),
          signedInAt: new Date(signedInAt).toISOString(),
          signedInAgo: Math.floor(toSeconds(clock() - signedInAt)),
          signedInBy,
          ...(duration !== undefined && { duration }),
          // The sessions of oidc-provider use the system's clock, and not the option `clock`.
          endsIn: Math.max(0, Math.round(toSeconds(endsAt - Date.now()))),
          isHere,
          clients,
        };
      }),
    );
    const isOwn = ({ isHere, signedInBy }: BrowserEntry): boolean => isHere && signedInBy !== 'qr';
    return entries.flat().sort((one, other) => Number(isOwn(one)) - Number(isOwn(other)));
  }

  /**
   * Returns true for a device that was itself signed in by QR, because its user has proven nothing on it. Returns false
   * for every device if the option `qrApprovers` is set.
   */
  #isLimited({ byQr }: Approver): boolean {
    return byQr === true && !this.#ports.settings.qrApprovers;
  }

  /** Returns the browsers of a list that this device may see and end. */
  async #filterShown(approver: Approver, list: readonly SignedInBrowser[]): Promise<readonly SignedInBrowser[]> {
    if (!this.#isLimited(approver)) return list;
    const { provider } = this.#ports;
    const { accountId } = approver;
    const methods = await Promise.all(
      list.map(({ sessionUid }) => findSignInMethod(provider, { accountId, sessionUid })),
    );
    return list.filter((_, index) => methods[index] === undefined || methods[index] === 'qr');
  }

  /**
   * Returns true for the session in which the approver acts: that of the page, or the one in which the app was granted
   * its access.
   */
  async #isHere({ sessionUid: own, grant }: Approver, { sessionUid }: SignedInBrowser): Promise<boolean> {
    if (grant === undefined) return sessionUid === own;
    return sessionUid === grant.boundTo || hasGranted(this.#ports.provider, sessionUid, grant);
  }
}

/** Returns the fields of a browser that the lists show. A record may have more, such as those of a newer build. */
export function listedFieldsOf(
  { id, label, lastUsedAt, ...browser }: SignedInBrowser | KnownBrowser,
  now: number,
): Pick<BrowserEntry, 'id' | 'label' | 'name' | 'system' | 'place' | 'lastUsedAt' | 'lastUsedAgo'> {
  return {
    id,
    ...(label !== undefined && { label }),
    ...descriptionOf(browser),
    lastUsedAt: new Date(lastUsedAt).toISOString(),
    lastUsedAgo: Math.floor(toSeconds(now - lastUsedAt)),
  };
}

function inBatches<T>(list: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(list.length / BATCH_SIZE) }, (_, batch) =>
    list.slice(batch * BATCH_SIZE, (batch + 1) * BATCH_SIZE),
  );
}
