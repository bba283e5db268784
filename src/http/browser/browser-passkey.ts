import { createHash } from 'node:crypto';
import type { Context } from 'koa';
import { accountName, type FindAccount, sessionOf } from '../../oidc/approver.ts';
import { BROWSER_PASSKEY } from '../../oidc/browser-passkey-prompt.ts';
import { endInteraction, type Interaction, makeResumeUrl, noInteraction } from '../../oidc/interaction.ts';
import type { Provider } from '../../oidc/provider.ts';
import { signInRequest } from '../../oidc/request/request.ts';
import type { ActionActs } from '../../ticket/actions.ts';
import { findKnownBrowser, type KnownBrowsers } from '../../ticket/browsers/known-browser.ts';
import { markAccount } from '../../ticket/browsers/last-account.ts';
import { browserId, type SignedInBrowsers } from '../../ticket/browsers/signed-in-browser.ts';
import { QrLoginError } from '../../ticket/errors.ts';
import type { Clock, Notes } from '../../ticket/ports.ts';
import type { SecretKeys } from '../../ticket/secret-keys.ts';
import { isLive } from '../../ticket/ticket.ts';
import type { ActionRequests } from '../actions/action-requests.ts';
import { toDetails } from '../actions/action-texts.ts';
import { ProofRefused } from '../hooks/approve-guard.ts';
import type { BrowserPasskeys, CreationOptions, PasskeyBrowser } from '../hooks/browser-passkeys.ts';
import type { Language } from '../pages/language.ts';
import type { Pages } from '../pages/page-data.ts';
import type { PageRenderer } from '../pages/renderer.ts';
import { describeUserAgent } from '../request/client-info.ts';
import type { Cookies } from '../request/cookies.ts';
import type { DeviceDescriber } from '../request/device.ts';
import { follow, seeOther } from '../request/responses.ts';
import type { Urls } from '../request/urls.ts';
import type { BrowserRequest, PromptForm } from './browser-request.ts';
import { markPasskeyAccount, type PasskeyCookie } from './passkey-cookie.ts';

export interface BrowserPasskeyPorts {
  readonly provider: Provider;
  readonly ceremony: { readonly actions: Pick<ActionActs, 'look'> };
  readonly actionRequests: Pick<ActionRequests, 'request'>;
  readonly browsers: Pick<SignedInBrowsers, 'list'>;
  readonly known: Pick<KnownBrowsers, 'list'>;
  readonly notes: Pick<Notes, 'claim' | 'read' | 'write'>;
  readonly keys: SecretKeys;
  readonly clock: Clock;
  readonly urls: Urls;
  readonly cookies: Pick<Cookies, 'memory' | 'renewMemory'>;
  readonly passkeyCookie: PasskeyCookie;
  readonly devices: DeviceDescriber;
  readonly renderer: PageRenderer;
  readonly settings: {
    readonly findAccount: FindAccount;
    readonly browserPasskeys?: BrowserPasskeys | undefined;
  };
}

/** The note about the passkey that an interaction's browser wants to create. */
interface WantedPasskey {
  /** The id of the action that the phone approves. */
  readonly action: string;
  readonly options: CreationOptions;
  /** True once the passkey is stored: a browser that has lost the answer may repeat its request. */
  readonly isAdded?: true;
}

/** The time for the phone's decision, in seconds. */
const DECIDE_WITHIN_S = 300;
/** The time for which a wanted passkey, and the use of its approval, are noted: longer than the ticket exists. */
const KEPT_MS = 20 * 60_000;
/** If a browser was signed in longer ago than this, the phone says so. */
const RECENTLY_MS = 2 * 60_000;

/**
 * Offers a passkey of its own to a browser that is signed in. The phone approves each passkey for one browser and one
 * challenge: the action's reference is the hash of the challenge.
 */
export class BrowserPasskeyHandlers {
  readonly #ports: BrowserPasskeyPorts;

  constructor(ports: BrowserPasskeyPorts) {
    this.#ports = ports;
  }

  /**
   * `GET /interaction/:uid`, at the prompt `browser_passkey`: the offer, or, once the phone has approved, the button
   * that creates the passkey.
   */
  page = async (request: BrowserRequest): Promise<void> => {
    const { provider, ceremony, urls, renderer, settings, clock } = this.#ports;
    const { ctx, interaction } = request;
    if (interaction.result !== undefined) return seeOther(ctx, makeResumeUrl(provider, interaction.returnTo));
    const { accountId } = userOf(request);
    const wanted = await this.#find(interaction);
    const action = wanted && (await ceremony.actions.look(wanted.action));
    if (action !== undefined && isLive(action, clock())) return seeOther(ctx, urls.action(action.interaction));
    const isApproved = wanted !== undefined && action?.state === 'redeemed';
    const { client, locales } = await signInRequest(provider, interaction);
    const page: Pages['offer'] = {
      account: await accountName(settings.findAccount, accountId),
      client,
      url: urls.browserPasskey(interaction.uid),
      state: isApproved ? 'approved' : wanted === undefined ? 'offered' : 'refused',
      ...(isApproved && { options: JSON.stringify(wanted.options) }),
    };
    renderer.render(ctx, 'offer', page, locales);
  };

  /**
   * `POST /interaction/:uid/qr/new-passkey`: adds the passkey in `credential`; with `skip`, continues without one;
   * otherwise asks the phone.
   */
  act = async (form: PromptForm<typeof BROWSER_PASSKEY>): Promise<void> => {
    const { provider, settings } = this.#ports;
    const { interaction, fields } = form;
    if (interaction.result !== undefined) return follow(form, makeResumeUrl(provider, interaction.returnTo));
    const { browserPasskeys } = settings;
    if (browserPasskeys === undefined) throw new QrLoginError('not_found', 'Browsers get no passkeys here.');
    if (fields.skip) return this.#end(form, fields.skip === 'exists');
    if (fields.credential) return this.#add(form, browserPasskeys, fields.credential);
    return this.#ask(form, browserPasskeys);
  };

  async #ask(form: PromptForm<typeof BROWSER_PASSKEY>, passkeys: BrowserPasskeys): Promise<void> {
    const { provider, actionRequests, notes, urls, renderer, settings } = this.#ports;
    const { ctx, interaction } = form;
    const { accountId } = userOf(form);
    const options = await passkeys.options(accountId, await accountName(settings.findAccount, accountId));
    const { locales } = await signInRequest(provider, interaction);
    const language = renderer.languageOf(ctx, locales);
    const approval = await actionRequests.request({
      accountId,
      title: language.t('passkey.ask.title'),
      details: toDetails(await this.describe(form, language)),
      reference: hashOf(options.challenge),
      expiresIn: DECIDE_WITHIN_S,
      browser: ctx,
      returnTo: urls.interaction(interaction.uid),
      locales,
    });
    const wanted: WantedPasskey = { action: approval.id, options };
    await notes.write(nameOf(interaction), KEPT_MS, JSON.stringify(wanted));
    follow(form, urls.action(approval.id));
  }

  async #add(form: PromptForm<typeof BROWSER_PASSKEY>, passkeys: BrowserPasskeys, answer: string): Promise<void> {
    const { ceremony, notes } = this.#ports;
    const { ctx, interaction } = form;
    const { accountId } = userOf(form);
    const wanted = await this.#find(interaction);
    if (wanted?.isAdded) return this.#end(form, true);
    const action = wanted && (await ceremony.actions.look(wanted.action));
    const isApproved =
      wanted !== undefined &&
      action?.state === 'redeemed' &&
      action.approver.accountId === accountId &&
      action.request.action.reference === hashOf(wanted.options.challenge);
    // Of two requests with the same approval, only one adds a passkey.
    if (!isApproved || !(await notes.claim(`passkey used:${wanted.action}`, KEPT_MS))) throw notApproved();
    const approved = { accountId, challenge: wanted.options.challenge, browser: await this.#browserOf(form) };
    try {
      await passkeys.add(ctx, approved, answer);
    } catch (cause) {
      if (!(cause instanceof ProofRefused)) throw cause;
      throw new QrLoginError('wrong_proof', 'This passkey could not be added. Load the page again.', { cause });
    }
    await notes.write(nameOf(interaction), KEPT_MS, JSON.stringify({ ...wanted, isAdded: true }));
    return this.#end(form, true);
  }

  /** Continues, and notes in this browser that it was asked. @param hasPasskey true if it has a passkey now */
  async #end(form: PromptForm<typeof BROWSER_PASSKEY>, hasPasskey: boolean): Promise<void> {
    const { provider, keys, passkeyCookie } = this.#ports;
    const { ctx } = form;
    passkeyCookie.note(ctx, markPasskeyAccount(keys, userOf(form).accountId), hasPasskey);
    follow(form, await endInteraction(provider, ctx, { [BROWSER_PASSKEY]: { added: hasPasskey } }));
  }

  /**
   * Describes the browser to the user of the phone, and warns if the user may not be at that browser. The lines are
   * part of what is approved: each phone shows them, also in the app of a deployment.
   */
  async describe({ ctx, interaction }: BrowserRequest, language: Language): Promise<string[]> {
    const { provider, browsers, known, devices, cookies, clock } = this.#ports;
    const { accountId, sessionUid } = userOf({ interaction });
    const [device, session, list, trusted] = await Promise.all([
      devices.describe(ctx),
      sessionOf(provider, ctx),
      browsers.list(accountId),
      findKnownBrowser(known, accountId, cookies.memory(ctx).knownAs),
    ]);
    // The session has the time at which the user authenticated on the phone. The list has the time at which this
    // browser was signed in.
    const signedInAt =
      list.find((browser) => browser.sessionUid === sessionUid)?.signedInAt ?? (session?.loginTs ?? 0) * 1000;
    const age = clock() - signedInAt;
    const { t } = language;
    const place = language.place(device.place);
    const name = language.nameOf(describeUserAgent(device.userAgent));
    return [
      t('passkey.ask.browser', { browser: place === '' ? name : `${name} · ${place}` }),
      ...(age > RECENTLY_MS ? [t('passkey.ask.old', { ago: language.ago(Math.floor(age / 1000)) })] : []),
      ...(trusted === undefined ? [t('passkey.ask.unknown')] : []),
      t('passkey.ask.effect'),
    ];
  }

  async #browserOf({ ctx, interaction }: BrowserRequest): Promise<PasskeyBrowser> {
    const { keys, cookies, devices, clock } = this.#ports;
    const { accountId, sessionUid } = userOf({ interaction });
    const { userAgent, place } = await devices.describe(ctx);
    return {
      ...describeUserAgent(userAgent),
      ...(place !== undefined && { place }),
      addedAt: clock(),
      session: browserId(sessionUid),
      knownAs: cookies.renewMemory(ctx, (name) => markAccount(keys, name, accountId)),
    };
  }

  async #find(interaction: Interaction): Promise<WantedPasskey | undefined> {
    const note = await this.#ports.notes.read(nameOf(interaction));
    return note === undefined ? undefined : JSON.parse(note);
  }
}

/** Returns true if this browser may be offered a passkey for this account: it was not asked before. */
export function isPasskeyOffered(
  { keys, passkeyCookie }: Pick<BrowserPasskeyPorts, 'keys' | 'passkeyCookie'>,
  ctx: Context,
  accountId: string,
): boolean {
  return !passkeyCookie.wasAsked(ctx, keys.candidates('browser passkey', accountId));
}

/**
 * Returns the user who is signed in at this interaction. oidc-provider has checked that the browser has the session of
 * this interaction.
 */
function userOf({ interaction }: Pick<BrowserRequest, 'interaction'>): { accountId: string; sessionUid: string } {
  const { accountId, uid } = interaction.session ?? {};
  if (accountId === undefined || uid === undefined) throw noInteraction();
  return { accountId, sessionUid: uid };
}

function nameOf({ uid }: Interaction): string {
  return `passkey wanted:${uid}`;
}

function hashOf(challenge: string): string {
  return createHash('sha256').update(challenge).digest('base64url');
}

function notApproved(): QrLoginError {
  return new QrLoginError('wrong_state', 'The phone has not approved this passkey, or it was used. Begin again.');
}
