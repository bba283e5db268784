import type { Context, Middleware } from 'koa';
import type { ErrorOut, interactionPolicy, KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { QrAdmin } from './admin/admin.ts';
import { adminOf, makeAdmin } from './admin/make-admin.ts';
import type { QrLoginOptions } from './config/options.ts';
import { assertNoDevInteractions, assertProvider, secretsOf } from './config/provider-checks.ts';
import { checkOptions, type Settings } from './config/settings.ts';
import { type Health, healthOf } from './health.ts';
import { makeActionParts } from './http/actions/action-parts.ts';
import type { Approval, ApprovalRequest } from './http/actions/action-requests.ts';
import { type AppGrantRecord, AppGrants } from './http/api/app-grants.ts';
import { AppLinks } from './http/api/app-links.ts';
import { Attempts } from './http/browser/attempts.ts';
import { isPasskeyOffered } from './http/browser/browser-passkey.ts';
import { PasskeyCookie } from './http/browser/passkey-cookie.ts';
import { checkBeforeResuming } from './http/browser/resume-checks.ts';
import { StartLimit } from './http/browser/start-limit.ts';
import { BrowserNames } from './http/devices/browser-names.ts';
import { BrowserPasskeyList } from './http/devices/browser-passkey-list.ts';
import { Enrolments } from './http/devices/enrolments.ts';
import { SignInRecorder } from './http/devices/record-sign-ins.ts';
import { RemoteSignOut } from './http/devices/remote-sign-out.ts';
import { SignInRevocation } from './http/devices/revocation.ts';
import { StayChanges } from './http/devices/stay-changes.ts';
import { answerTrouble, renderProviderError, throwRefusals } from './http/errors.ts';
import { ActivityRecorder, type NodeActivity } from './http/events/activity.ts';
import { ExpiryWatcher } from './http/events/expiry.ts';
import { SignInMetrics } from './http/events/metrics.ts';
import { announceState, type EmitTicketEvent, makeTicketEmitter } from './http/events/ticket-events.ts';
import { makeCheckedHooks } from './http/hooks/checked-hooks.ts';
import { Assets } from './http/pages/assets.ts';
import { ClientLogos } from './http/pages/client-logos.ts';
import { Locales } from './http/pages/locales.ts';
import { PageRenderer } from './http/pages/renderer.ts';
import { makePhoneParts } from './http/phone-parts.ts';
import { PushSender } from './http/push/push-sender.ts';
import { Subscriptions } from './http/push/subscriptions.ts';
import { Cookies } from './http/request/cookies.ts';
import { DeviceDescriber } from './http/request/device.ts';
import { InFlight } from './http/request/in-flight.ts';
import { RateLimits } from './http/request/rate-limits.ts';
import { protectAnswer } from './http/request/security-headers.ts';
import { Urls } from './http/request/urls.ts';
import { WrongCheckCodes } from './http/request/wrong-check-codes.ts';
import { BackchannelHooks } from './http/requests/backchannel-hooks.ts';
import { makeRequestParts } from './http/requests/request-parts.ts';
import { routes } from './http/routes.ts';
import type { Services } from './http/services.ts';
import { EventStreams } from './http/streams/event-streams.ts';
import { LongPolls } from './http/streams/long-poll.ts';
import { ConnectionParker } from './http/streams/parked-connection.ts';
import type { TicketWatch } from './http/streams/ticket-watch.ts';
import { BrowserViews } from './http/ticket-view/browser-view.ts';
import { Wiring } from './http/wiring/wiring.ts';
import { authenticationClaims } from './oidc/apps/app-authentication.ts';
import type { CibaHooks } from './oidc/backchannel/ciba-hooks.ts';
import { browserPasskeyPrompt } from './oidc/browser-passkey-prompt.ts';
import { callListener } from './oidc/call-listener.ts';
import type { Interaction } from './oidc/interaction.ts';
import { qrLoginPolicy } from './oidc/policy.ts';
import { readProviderError } from './oidc/provider-error.ts';
import { repeatExchange } from './oidc/resume/repeatable-exchange.ts';
import { RepeatableResume } from './oidc/resume/repeatable-resume.ts';
import { onSignedIn } from './oidc/resume/resumed.ts';
import { SessionLifetimes } from './oidc/session/session-lifetimes.ts';
import { rememberOnResume } from './oidc/sign-in.ts';
import { unavailable } from './stores/access.ts';
import { chooseEngine } from './stores/choose-engine.ts';
import { withDeadline } from './stores/deadline.ts';
import { engineForIssuer } from './stores/issuer/issuer-engine.ts';
import type { StoreEngine } from './stores/store-engine.ts';
import { BlockList } from './ticket/blocks.ts';
import { readBrowserKey } from './ticket/browsers/browser-key.ts';
import { Ceremony } from './ticket/ceremony.ts';
import { Codes } from './ticket/codes/code.ts';
import { ShortCodes } from './ticket/codes/short-code.ts';
import type { Clock } from './ticket/ports.ts';
import { SecretKeys } from './ticket/secret-keys.ts';

/** The data for a page of the deployment's own. */
export interface OwnView {
  /** The preferred languages, the best one first: the `params.ui_locales` of an interaction, split. */
  readonly locales?: readonly string[];
  readonly [name: string]: unknown;
}

/** A browser of a computer that the deployment manages. */
export interface ManagedBrowser {
  /** Its public key (curve P-256), as a JSON Web Key. */
  readonly key: { readonly kty: string; readonly crv: string; readonly x: string; readonly y: string };
  /** Its name and system, for the list of browsers. */
  readonly name?: string;
  readonly system?: string;
}

/** QR sign-in for one provider. */
export interface QrLogin {
  /**
   * The value for the provider's `interactions.policy`. You may add your own prompts before you create the provider.
   */
  readonly policy: interactionPolicy.DefaultPolicy;

  /** The value for the provider's `interactions.url`. */
  readonly interactionUrl: (ctx: KoaContextWithOIDC, interaction: Interaction) => string;

  /**
   * Adds the pages to the provider, so that they are available in each host that mounts it.
   * @throws TypeError if this is no provider of oidc-provider 9, does not sign its cookies, or has its development
   *   interactions switched on
   */
  readonly attach: (provider: Provider) => void;

  /**
   * The value for the provider's `extraTokenClaims`, if apps approve sign-ins. It states in the access tokens of an app
   * when and how its user has signed in (RFC 9068, section 2.2.1), also after refreshes. An app with a token that lacks
   * this gets 401. To add claims of your own: `extraTokenClaims: (ctx, token) => ({ ...qr.extraTokenClaims(ctx, token),
   * mine: 1 })`.
   */
  readonly extraTokenClaims: typeof authenticationClaims;

  /**
   * For the provider's `features.ciba`, if clients ask without a browser (CIBA Core 1.0): their requests wait on the
   * phones of the account. `features: { ciba: { enabled: true, deliveryModes: ['poll', 'ping'], ...qr.ciba } }`. See
   * docs/ciba.md.
   */
  readonly ciba: CibaHooks;

  /**
   * Enrols a browser for an account ({@link QrLoginOptions.enrolled}) by its public key, for computers that you manage.
   * A page of yours in that browser, on the provider's origin, gets the key: `publicKey()` of the asset
   * `browser-key.js`. The caller must make sure that it is the account's browser.
   * @throws TypeError before `attach`; QrLoginError `invalid_request` for a wrong key
   */
  readonly enrol: (accountId: string, browser: ManagedBrowser) => Promise<void>;

  /**
   * Renders a page of your own, such as the password page: a template of your `views`, in the layout of the other pages
   * and in the user's language, with the headers that keep it from being framed or stored. The template gets `page`,
   * and the tools that every template has. The languages in `page.locales`, if any, come before those of the browser.
   * @throws TypeError before `attach`, or if there is no such template
   */
  readonly render: (ctx: Context, name: string, page?: OwnView) => void;

  /**
   * The value for the provider's `renderError`. It shows oidc-provider's errors on the plugin's error page, in the
   * user's language, with a link to try again if that can help. The error and its description are shown for the
   * developers of the app.
   * @throws TypeError before `attach`
   */
  readonly renderError: (ctx: KoaContextWithOIDC, out: ErrorOut, error: Error) => void;

  /**
   * Asks a user to approve on the phone something other than a sign-in: a passkey, a new mail address, a payment.
   * Send the browser to the `url` of the result, and wait for `result`. See docs/actions.md.
   *
   * @example
   * const approval = await qr.requestApproval({ accountId, title: 'Change your mail address', details: mail, browser: ctx });
   * ctx.redirect(approval.url);
   *
   * @throws TypeError before `attach`, or if a value is wrong; QrLoginError `store_unavailable`
   */
  readonly requestApproval: (request: ApprovalRequest) => Promise<Approval>;

  /**
   * Returns an action by its id, whichever process has requested it; `undefined` if there is none, or if it is
   * over and its result is not kept any more.
   * @throws TypeError before `attach`; QrLoginError `store_unavailable`
   */
  readonly findApproval: (id: string) => Promise<Approval | undefined>;

  /** The functions for operators: what is going on, and what an account has; to be shown by a console of yours. */
  readonly admin: QrAdmin;

  /**
   * Returns the health of this process, for a readiness probe. Answers within a second, and rejects only before
   * `attach`.
   */
  readonly health: () => Promise<Health>;

  /**
   * Stops within three seconds: ends event streams and long polls, waits up to two seconds for pending requests, and
   * closes the plugin's own connection to Redis. The browsers that waited come back to another process a moment later.
   * The store stays open, because it is yours.
   *
   * Call it before `server.close()` or in the same tick: Node.js considers the connection of an event stream idle, so
   * `server.close()` would cut it off. This method ends all streams, also those of `parkStreams`, which
   * `server.closeAllConnections()` does not end.
   */
  readonly close: () => Promise<void>;
}

/**
 * Creates QR sign-in for one provider.
 *
 * @example
 * const qr = qrLogin({ findAccount, signIn });
 * const provider = new Provider(issuer, {
 *   ...configuration,
 *   interactions: { policy: qr.policy, url: qr.interactionUrl },
 * });
 * qr.attach(provider);
 *
 * @throws TypeError if an option is wrong
 */
export function qrLogin(options: QrLoginOptions): QrLogin {
  const settings = checkOptions(options);
  let attached: AttachedPlugin | undefined;
  const requireAttached = (): AttachedPlugin => {
    if (attached === undefined)
      throw new TypeError('qr.attach(provider) was not called yet: call it right after new Provider(…)');
    return attached;
  };
  const offer = browserPasskeyPrompt((ctx, accountId) => requireAttached().offersPasskey(ctx, accountId));
  return {
    policy: qrLoginPolicy(settings.browserPasskeys === undefined ? [] : [offer]),
    extraTokenClaims: authenticationClaims,
    ciba: ciba(() => requireAttached().ciba),
    interactionUrl: (ctx, interaction) => requireAttached().interactionUrl(ctx, interaction),
    enrol: async (accountId, browser) => requireAttached().enrol(accountId, browser),
    attach: (provider) => {
      if (attached !== undefined)
        throw new TypeError('attach(provider) was called already; make a qrLogin for each provider');
      assertProvider(provider);
      attached = attach(provider, { ...settings, ...makeCheckedHooks(settings, settings.deadlines.hook) });
    },
    render: (ctx, name, page = {}) => requireAttached().render(ctx, name, page),
    renderError: (ctx, out, error) => requireAttached().renderError(ctx, out, error),
    requestApproval: async (request) => requireAttached().requestApproval(request),
    findApproval: async (id) => requireAttached().findApproval(id),
    admin: adminOf(() => requireAttached().admin),
    health: async () => requireAttached().health(),
    close: async () => attached?.close(),
  };
}

type AttachedPlugin = Required<
  Pick<QrLogin, 'interactionUrl' | 'enrol' | 'renderError' | 'requestApproval' | 'findApproval' | 'health' | 'close'>
> & {
  readonly admin: QrAdmin;
  readonly ciba: CibaHooks;
  readonly offersPasskey: (ctx: Context, accountId: string) => boolean;
  readonly render: (ctx: Context, name: string, page: OwnView) => void;
};

/** Returns functions that call those of the attached plugin. oidc-provider gets them before the plugin is attached. */
function ciba(attached: () => CibaHooks): CibaHooks {
  return {
    processLoginHint: async (ctx, hint) => attached().processLoginHint(ctx, hint),
    processLoginHintToken: async (ctx, token) => attached().processLoginHintToken(ctx, token),
    verifyUserCode: async (ctx, account, code) => attached().verifyUserCode(ctx, account, code),
    validateBindingMessage: async (ctx, message) => attached().validateBindingMessage(ctx, message),
    validateRequestContext: async (ctx, context) => attached().validateRequestContext(ctx, context),
    triggerAuthenticationDevice: async (ctx, request) => attached().triggerAuthenticationDevice(ctx, request),
  };
}

/** The names of the engines that serve one process. */
const SINGLE_PROCESS: ReadonlySet<string> = new Set(['memory', 'keyv']);
/** The time that pending requests have to finish when the server stops. */
const PENDING_REQUESTS_MS = 2_000;
/** The time that the plugin's own connections to the store have to close. */
const CLOSE_WITHIN_MS = 1_000;

function attach(provider: Provider, settings: Settings): AttachedPlugin {
  assertNoDevInteractions(provider);
  const keys = new SecretKeys(secretsOf(provider, settings));
  rememberOnResume(provider);
  const resuming = new RepeatableResume(provider, keys);
  const lifetimes = new SessionLifetimes(provider);
  const pages = makePages(provider, settings);
  const { urls, cookies, passkeyCookie, renderer } = pages;
  onSignedIn(provider, (ctx, sessionUid) => cookies.noteSignIn(ctx, sessionUid));
  const metrics = new SignInMetrics();
  const shared = chooseEngine(settings.store, settings.clock, {
    onTrouble: (cause) => callListener(() => provider.emit('qr_login.failed', undefined, unavailable(cause))),
    onLate: (ticket) => callListener(() => announceState(announce, ticket)),
  });
  const engine = engineForIssuer(shared, provider.issuer, keys);
  const { browsers, known, notes, signals, clock } = engine;
  const activity = new ActivityRecorder({
    nodes: engine.records<NodeActivity>('activity'),
    isShared: !SINGLE_PROCESS.has(engine.name),
    countLive: () => expiry.countLive(),
    countConnected: () => metrics.waiting,
    clock,
  });
  const emit = activity.recordWith(makeTicketEmitter(provider, metrics));
  const expiry = watchExpiry(engine, settings, emit);
  const announce = expiry.makeAnnouncer(emit);
  const blocks = new BlockList({ ofAccount: engine.records('blocks'), ofAll: engine.records('all blocks') });
  const appGrants = new AppGrants({ provider, appGrants: engine.records<AppGrantRecord>('app grants'), clock });
  const { ceremony, ...streaming } = makeCeremony(engine, {
    blocks,
    keys,
    urls,
    assets: pages.assets,
    metrics,
    settings,
  });
  const { signIns, ...signedIn } = makeSignInRecords(engine, {
    provider,
    keys,
    blocks,
    resuming,
    lifetimes,
    settings,
    emit,
  });
  const limits = new RateLimits(engine.rateLimit, settings.limits);
  const wrongCheckCodes = new WrongCheckCodes({ limits, notes, keys, clock });
  const starts = new StartLimit(limits, provider);
  const attempts = new Attempts(cookies);
  const wiring = new Wiring({ provider, urls });
  const inFlight = new InFlight();
  let closed: Promise<void> | undefined;

  provider.use(inFlight.count);
  provider.use(wiring.noteArrival);
  const logos = new ClientLogos({ urls, keys, clientLogo: settings.clientLogo });
  const pushSender = settings.push && new PushSender(settings.push);
  const subscriptions = new Subscriptions({ ...engine, provider, keys, urls, pushSender });
  const others = {
    ...pages,
    ...streaming,
    ...signedIn,
    limits,
    logos,
    wrongCheckCodes,
    wiring,
    notes,
    subscriptions,
    appGrants,
  };
  const parts = { provider, ceremony, announce, emit, browsers, known, signals, keys, clock, settings, ...others };
  const requestParts = makeRequestParts(parts);
  const phoneParts = makePhoneParts({ ...parts, ...requestParts });
  const actionParts = makeActionParts({
    ...parts,
    watchExpiry: expiry.watch,
    providerName: nameOf(provider, settings),
  });
  provider.use(routes({ ...parts, ...requestParts, ...phoneParts, ...actionParts }));
  const { revocation, enrolments } = signedIn;
  const resumeChecks = checkBeforeResuming({ provider, urls, renderer, clock, settings, revocation, enrolments });
  // This answers errors at oidc-provider's own URLs, and on the deployment's own pages.
  provider.use(answerTrouble({ provider, renderer }));
  refuseBefore(provider, [wiring.check, starts.check, attempts.limit, repeatExchange(provider)]);
  refuseBefore(provider, [signIns.note, resuming.middleware, resumeChecks]);

  const starting = { starts, wiring, attempts, cookies, urls, clock };
  return {
    interactionUrl: (ctx, interaction) => startInteraction(starting, ctx, interaction),
    enrol: async (accountId, { key, ...named }) => {
      const publicKey = readBrowserKey(JSON.stringify(key));
      const proof = { by: 'deployment', provenAt: clock() } as const;
      await enrolments.enrolBrowser(undefined, { accountId, key: publicKey, ...proof, ...named });
    },
    ciba: new BackchannelHooks({ ...parts, ...requestParts }).make(),
    offersPasskey: (ctx, accountId) => isPasskeyOffered({ keys, passkeyCookie }, ctx, accountId),
    render: (ctx, name, { locales = [], ...page }) => {
      protectAnswer(ctx);
      renderer.renderOwn(ctx, name, page, locales);
    },
    renderError: (ctx, out, error) =>
      renderProviderError({ provider, renderer, urls }, ctx, readProviderError(ctx, out, error)),
    requestApproval: (request) => actionParts.actionRequests.request(request),
    findApproval: (id) => actionParts.actionRequests.find(id),
    admin: makeAdmin({ ...parts, ...phoneParts, activity, blocks, appGrants, enrolments }),
    health: () => healthOf(engine, metrics, closed !== undefined),
    close: () => {
      closed ??= stop({ ...streaming, ...phoneParts, ...actionParts, activity, expiry, inFlight, wiring, engine });
      return closed;
    },
  };
}

interface StartingParts {
  readonly starts: StartLimit;
  readonly wiring: Wiring;
  readonly attempts: Attempts;
  readonly cookies: Cookies;
  readonly urls: Urls;
  readonly clock: Clock;
}

/** Binds an interaction to the browser that starts it, and returns the address of its page. */
function startInteraction(parts: StartingParts, ctx: KoaContextWithOIDC, interaction: Interaction): string {
  const { starts, wiring, attempts, cookies, urls, clock } = parts;
  // The binding cookie is set along with oidc-provider's own cookie. Both show that this browser started the
  // interaction.
  starts.note(ctx);
  wiring.noteInteraction(ctx, interaction);
  attempts.note(ctx, interaction);
  cookies.bind(ctx, interaction, interaction.exp * 1000 - clock());
  return urls.interaction(interaction.uid);
}

/** Adds middleware whose refusals `answerTrouble` answers. */
function refuseBefore(provider: Provider, steps: readonly Middleware[]): void {
  for (const step of steps) provider.use(throwRefusals(step));
}

type Pages = Pick<Services, 'urls' | 'assets' | 'renderer' | 'appLinks' | 'passkeyCookie'> & {
  readonly cookies: Cookies;
};

/** Makes the parts that the pages need: templates, texts, assets, URLs and cookies. */
function makePages(provider: Provider, settings: Settings): Pages {
  const { issuer } = provider;
  const { views: folders, apps } = settings;
  const urls = new Urls(issuer);
  const names = { provider: nameOf(provider, settings), site: new URL(issuer).host };
  const texts = folders.map(({ locales }) => locales);
  const files = folders.map(({ assets }) => assets);
  const assets = new Assets(urls, files);
  const renderer = new PageRenderer({ assets, locales: new Locales(names, texts), folders, provider: names.provider });
  const appLinks = new AppLinks(urls, issuer, apps);
  appLinks.warnIfBelowPath();
  return { urls, cookies: new Cookies(urls), passkeyCookie: new PasskeyCookie(urls), assets, renderer, appLinks };
}

/** Returns the name by which users know the provider. */
function nameOf({ issuer }: Provider, { name }: Settings): string {
  return name ?? new URL(issuer).host;
}

interface CeremonyParts {
  readonly blocks: BlockList;
  readonly keys: SecretKeys;
  readonly urls: Urls;
  readonly assets: Assets;
  readonly metrics: SignInMetrics;
  readonly settings: Settings;
}

type CeremonyAndStreams = Pick<Services, 'codes' | 'browserViews' | 'streams' | 'longPolls'> & {
  readonly ceremony: Ceremony;
};

function watchExpiry({ store, clock }: StoreEngine, { deadlines }: Settings, emit: EmitTicketEvent): ExpiryWatcher {
  return new ExpiryWatcher(store, clock, deadlines, (facts) =>
    callListener(() => emit(undefined, 'qr_login.expired', facts)),
  );
}

interface SignInRecordParts {
  readonly provider: Provider;
  readonly blocks: BlockList;
  readonly keys: SecretKeys;
  readonly resuming: RepeatableResume;
  readonly lifetimes: SessionLifetimes;
  readonly settings: Settings;
  readonly emit: EmitTicketEvent;
}

interface SignInRecords
  extends Pick<Services, 'devices' | 'remoteSignOut' | 'browserNames' | 'browserPasskeyList' | 'stayChanges'> {
  readonly enrolments: Enrolments;
  readonly revocation: SignInRevocation;
  readonly signIns: SignInRecorder;
}

/** Makes the parts that record which browsers were signed in, and that sign them out again. */
function makeSignInRecords(
  { browsers, known, notes, clock }: StoreEngine,
  { provider, blocks, keys, resuming, lifetimes, settings, emit }: SignInRecordParts,
): SignInRecords {
  const { locate, onSignIn } = settings;
  const offersDurations = settings.durations !== undefined;
  const devices = new DeviceDescriber(locate);
  const browserPasskeyList = new BrowserPasskeyList({ known, clock, browserPasskeys: settings.browserPasskeys });
  const remoteSignOut = new RemoteSignOut({ provider, browsers, known, notes, clock, browserPasskeyList });
  const revocation = new SignInRevocation({
    provider,
    browsers,
    known,
    remoteSignOut,
    notes,
    blocks,
    keys,
    clock,
    emit,
  });
  const browserNames = new BrowserNames({ browsers, known, notes, revocation });
  const enrolments = new Enrolments({ provider, known, notes, revocation, clock, settings });
  const stayChanges = new StayChanges({ lifetimes, browsers, notes, clock });
  const found = { browsers, known, browserNames, enrolments, stayChanges, remoteSignOut, revocation, devices };
  const signIns = new SignInRecorder({ provider, resuming, ...found, clock, onSignIn, offersDurations });
  return { devices, remoteSignOut, browserNames, browserPasskeyList, enrolments, stayChanges, revocation, signIns };
}

/** Makes the ceremony, and the streams and long polls by which browsers wait for its steps. */
function makeCeremony(
  { store, notes, known, requests, clock }: StoreEngine,
  { blocks, keys, urls, assets, metrics, settings }: CeremonyParts,
): CeremonyAndStreams {
  const { deadlines: lifetimes, rotation, shortCode, checkCodeEntry, streams: style, parkStreams } = settings;
  const codes = new Codes(keys, rotation);
  const shortCodes = shortCode ? new ShortCodes(keys, notes) : undefined;
  const browserViews = new BrowserViews({ keys, codes, shortCodes, urls, lifetimes, codeMark: assets.codeMark });
  const parker = parkStreams ? new ConnectionParker() : undefined;
  return {
    ceremony: new Ceremony({
      store,
      notes,
      known,
      blocks,
      requests,
      clock,
      keys,
      codes,
      shortCodes,
      lifetimes,
      checkCodeEntry,
    }),
    codes,
    browserViews,
    streams: new EventStreams<TicketWatch>({ views: browserViews, clock, metrics, style, parker }),
    longPolls: new LongPolls<TicketWatch>(browserViews, clock, metrics),
  };
}

interface StoppableParts
  extends Pick<Services, 'streams' | 'longPolls' | 'appStreams' | 'followers' | 'actionResults'> {
  readonly activity: ActivityRecorder;
  readonly expiry: ExpiryWatcher;
  readonly inFlight: InFlight;
  readonly wiring: Wiring;
  readonly engine: StoreEngine;
}

async function stop(parts: StoppableParts): Promise<void> {
  const { appStreams, followers, actionResults, activity, expiry, inFlight, wiring, engine } = parts;
  for (const { streams, longPolls } of [parts, appStreams]) {
    streams.close();
    longPolls.close();
  }
  followers.close();
  actionResults.close();
  expiry.close();
  wiring.close();
  const activityClosed = withDeadline(activity.close(), CLOSE_WITHIN_MS).catch(() => undefined);
  await inFlight.waitUntilIdle(PENDING_REQUESTS_MS);
  await activityClosed;
  // A store that does not answer must not keep the process from stopping.
  await withDeadline(engine.close(), CLOSE_WITHIN_MS).catch(() => undefined);
}
