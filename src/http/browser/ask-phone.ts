import type { Provider } from '../../oidc/provider.ts';
import { subjectOf } from '../../oidc/request/requirements.ts';
import type { ShowInput } from '../../ticket/browser.ts';
import { hasSignedQuestion } from '../../ticket/browsers/enrolment.ts';
import { findKnownBrowser, type KnownBrowser, type KnownBrowsers } from '../../ticket/browsers/known-browser.ts';
import { notFound, QrLoginError } from '../../ticket/errors.ts';
import type { AskActs } from '../../ticket/requests/ask-acts.ts';
import type { SecretKeys } from '../../ticket/secret-keys.ts';
import type { NumberEntry, SignInRequest, Ticket } from '../../ticket/ticket.ts';
import type { Enrolments } from '../devices/enrolments.ts';
import type { Announce } from '../events/ticket-events.ts';
import { noncesOf } from '../hooks/approve-guard.ts';
import type { Cookies } from '../request/cookies.ts';
import type { RateLimits } from '../request/rate-limits.ts';
import type { Notifier } from '../requests/notifier.ts';
import type { BrowserRequest, PromptForm } from './browser-request.ts';

export interface AskPhonePorts {
  readonly provider: Provider;
  readonly ceremony: { readonly asks: Pick<AskActs, 'ask'> };
  readonly known: Pick<KnownBrowsers, 'list'>;
  readonly cookies: Pick<Cookies, 'memory' | 'rememberedAccount'>;
  readonly keys: SecretKeys;
  readonly limits: Pick<RateLimits, 'forAccount'>;
  readonly notifier: Pick<Notifier, 'notify'>;
  readonly enrolments: Pick<Enrolments, 'noteProven'>;
  readonly announce: Announce;
  readonly settings: { readonly askPhone?: { readonly entry: NumberEntry; readonly wait: number } | undefined };
}

/** The form with which a browser asks phones. */
export interface AskOffer {
  /** The challenge that the browser's key must sign; absent for a browser that is known by its cookie alone. */
  readonly nonce?: string;
}

/** An account, and its record of a browser. */
interface RememberedAccount {
  readonly accountId: string;
  readonly browser: KnownBrowser;
}

/**
 * Asks the phones of the account that knows the browser, in place of showing a code. The browser does not name the
 * account: it has the account's id in a sealed cookie, and the account must still trust the browser.
 */
export class AskPhone {
  readonly #ports: AskPhonePorts;

  constructor(ports: AskPhonePorts) {
    this.#ports = ports;
  }

  /** Returns the form that the page offers; undefined if no account knows this browser. */
  async offer(request: BrowserRequest, { client, requirements }: SignInRequest): Promise<AskOffer | undefined> {
    const remembered = await this.#find(request);
    if (remembered === undefined || !(await this.#isExpected(remembered, client.id, requirements.subject)))
      return undefined;
    const [nonce = ''] = this.#nonces(request);
    return remembered.browser.key === undefined ? {} : { nonce };
  }

  /**
   * Asks the phones.
   * @throws QrLoginError `not_found` to a browser that no account knows, `wrong_proof` to one that lacks its key,
   * `not_asked` if the account must not be asked now, `too_many_requests`
   */
  async ask(form: PromptForm<'login'>, show: ShowInput): Promise<Ticket> {
    const { ceremony, limits, enrolments, notifier, announce, settings } = this.#ports;
    const { client, requirements } = show.request;
    const remembered = await this.#find(form);
    if (settings.askPhone === undefined || remembered === undefined) throw notFound();
    if (!(await this.#isExpected(remembered, client.id, requirements.subject))) throw notFound();
    const { accountId, browser } = remembered;
    // Before the request counts: a copied cookie must not use up the account's limit.
    if (browser.key && !hasSignedQuestion(browser.key, this.#nonces(form), form.fields.signature ?? ''))
      throw new QrLoginError('wrong_proof', 'The key of this browser must sign the challenge of its page.');
    await limits.forAccount('request', accountId);
    const { entry, wait } = settings.askPhone;
    const asked = await ceremony.asks.ask({ accountId, show, entry, lasts: wait });
    // The browser is not told the reason, which may be a report of its user.
    if (typeof asked === 'string') throw new QrLoginError('not_asked', 'The phones are not asked now. Scan the code.');
    const { ticket, changed, voided } = asked;
    if (voided) announce(form.ctx, 'qr_login.cancelled', voided);
    if (!changed) return ticket;
    if (browser.key) await enrolments.noteProven(ticket, browser.key);
    announce(form.ctx, 'qr_login.shown', ticket);
    notifier.notify(accountId, ticket);
    return ticket;
  }

  async #find({ ctx }: BrowserRequest): Promise<RememberedAccount | undefined> {
    const { known, cookies, keys, settings } = this.#ports;
    if (settings.askPhone === undefined) return undefined;
    const { knownAs } = cookies.memory(ctx);
    const sealed = cookies.rememberedAccount(ctx);
    if (knownAs === undefined || sealed === undefined) return undefined;
    const accountId = keys.unseal(knownAs, sealed);
    const browser = accountId === undefined ? undefined : await findKnownBrowser(known, accountId, knownAs);
    return accountId === undefined || browser === undefined ? undefined : { accountId, browser };
  }

  /** Returns false if the request demands another account, which no phone of this one can approve. */
  async #isExpected({ accountId }: RememberedAccount, clientId: string, subject: string | undefined): Promise<boolean> {
    return subject === undefined || subject === (await subjectOf(this.#ports.provider, clientId, accountId));
  }

  /** The challenges are bound to the interaction and to its browser. */
  #nonces({ identity }: BrowserRequest): string[] {
    return noncesOf(this.#ports.keys, 'ask', identity.interaction, identity.binding);
  }
}
