import type { AssureApp, OnDecision } from '../http/hooks/app-hooks.ts';
import type { ApproveGuard, PasskeySignIn } from '../http/hooks/approve-guard.ts';
import type { BrowserPasskeys } from '../http/hooks/browser-passkeys.ts';
import type { ConsentPolicy, EnrolmentRule, LoginPage, OnSignIn, OtherWays, SignIn } from '../http/hooks/hooks.ts';
import type { ClientLogo } from '../http/pages/client-logos.ts';
import type { Locate } from '../http/request/device.ts';
import type { Notify } from '../http/requests/notifier.ts';
import type { StreamStyle } from '../http/streams/connection.ts';
import type { Assure, FindAccount } from '../oidc/approver.ts';
import type { AnyKeyv } from '../stores/keyv-version.ts';
import type { MakeStoreEngine } from '../stores/store-engine.ts';
import type { Duration } from '../ticket/browsers/duration.ts';
import type { CheckCodeEntry } from '../ticket/change.ts';
import type { Clock } from '../ticket/ports.ts';
import type { Assess } from '../ticket/risk.ts';
import type { ActionOptions } from './actions.ts';
import type { AppOptions } from './apps.ts';
import type { AskPhoneOptions } from './ask-phone.ts';
import type { CibaOptions } from './ciba.ts';
import type { PushOptions } from './push.ts';
import type { LimitOptions } from './rate-limits.ts';

/**
 * The options of {@link qrLogin}, which checks them once, when it is called, and throws a `TypeError` that says which
 * option is wrong and what to write instead.
 */
export interface QrLoginOptions {
  /**
   * Returns the account with the name that is shown on the phone's pages, on `/qr/devices` and to a browser where
   * another account is signed in; `undefined` if the account may not sign in: deleted, disabled or locked. It is called
   * at each step of the phone and again before the browser is signed in.
   */
  findAccount: FindAccount;

  /**
   * Returns the URL or path of yours where the phone signs in to the provider. The sign-in must end at
   * `wanted.returnTo`. If `wanted.fresh` is true, an existing session is not enough (`prompt=login`, `max_age`). Return
   * `undefined` if the wanted sign-in is impossible: the phone can only decline then.
   */
  signIn: SignIn;

  /**
   * Chooses the page of a login prompt: `undefined` for the QR page, `{ path: 'password' }` for a page of your own at
   * `/interaction/:uid/password`. The request by which the phone itself signs in must get a page of your own, because a
   * phone cannot scan its own screen.
   * @default the QR page, always
   */
  loginPage?: LoginPage;

  /**
   * Returns the links on the QR page for users who cannot scan: `[{ path: 'password', label: 'Use a password' }]`.
   * @default none
   */
  otherWays?: OtherWays;

  /**
   * Decides what a sign-in takes, given the known data about both devices: `'allow'` takes a tap, `'check code'` also
   * the six digits that the phone shows and the user types at the browser, and `'deny'` refuses the sign-in. It is
   * called when the phone scans, and again on Approve. After a user has reported "I did not start this", sign-ins from
   * the same network address are refused for this account for an hour, independent of the result of this function.
   * @default assessByDefault: the check code, unless this account trusts the browser
   */
  assess?: Assess;

  /**
   * Returns true if this account may be used for this client only in browsers that it has enrolled. A code can then be
   * approved for such a browser alone, which has a key that cannot be copied: the code of an attacker's browser cannot
   * be approved at all. A browser is enrolled at `/qr/devices` in that browser itself, after a sign-in with a password
   * or a passkey there, by you with `qr.enrol()`, or by the phone (`enrolByPhone`).
   * @default none: a code can be approved for any browser
   */
  enrolled?: EnrolmentRule;

  /**
   * Lets a browser ask on its QR page to be enrolled. The phone approves that with a passkey, as an action of its own
   * that names the browser and warns; the browser then takes the check code. A user who approves it for the browser of
   * an attacker, and passes the digits on, has let that browser in. Do not set this option if that risk is too high
   * for your accounts. It needs `enrolled`, and a `guard` that asks for passkeys.
   * @default false
   */
  enrolByPhone?: boolean;

  /**
   * Returns the rough location of a network address: `{ country: 'DE', city: 'Berlin' }`, with the country as two
   * capital letters (ISO 3166-1). The phone shows it as a hint; `assess` and `onSignIn` get it. If the function fails
   * or takes longer than half a second, the sign-in goes on without a place, and the process warns with
   * `QR_LOGIN_LOCATE`.
   * @default no place is known
   */
  locate?: Locate;

  /**
   * The number of requests that one address and one account may send in a minute, 1 to 1,000,000. `checkCode` is the
   * number of wrong check codes in an hour. `consecutiveCheckCodes`, 1 to 100, is the number of wrong ones in a row
   * after which the account gets no check codes for a day. `request` counts the requests for an approval that clients
   * send without a browser (CIBA), and by account also those of browsers that ask phones. `false` switches the limits
   * off, for a deployment that has its own in front of the provider. A client over a limit gets 429 and `Retry-After`
   * (RFC 6585, section 4). With Redis all nodes count together, otherwise each process counts for itself.
   * @default { address: { start: 120, show: 120, watch: 600, finish: 120, scan: 120, shortCode: 20, decide: 120,
   *   request: 600 },
   *   account: { scan: 20, shortCode: 6, decide: 40, request: 6, checkCode: 12, consecutiveCheckCodes: 50 } }
   */
  limits?: LimitOptions | false;

  /**
   * Demands more than a tap before Approve counts. `passkeys()` of `oidc-provider-qr-login/passkeys` returns such a
   * guard.
   * @default none: a tap is enough
   */
  guard?: ApproveGuard;

  /**
   * Offers a passkey beside the code, in browsers that support passkeys. It is the only way to sign in that an attacker
   * cannot relay. `passkeys()` returns such an object.
   * @default none
   */
  passkeySignIn?: PasskeySignIn;

  /**
   * After a phone has signed a browser in, offers this browser a passkey of its own: once, and only if the user stays
   * signed in there. The phone approves the passkey for this browser and this challenge. `passkeys()` returns such an
   * object.
   * @default none
   */
  browserPasskeys?: BrowserPasskeys;

  /**
   * The page of yours where users review and remove their passkeys: a path or an address. `/qr/devices` links to it,
   * because signing out removes no passkey.
   * @default none: the page does not mention passkeys
   */
  passkeysUrl?: string;

  /**
   * Chooses how the user consents to what a client asks for: `'browser'` on the consent page, as without this plugin;
   * `'phone'` by Approve, which grants exactly what the confirm page lists; `'implied'` without a question, for your
   * own clients.
   * @default 'browser', always
   */
  consent?: ConsentPolicy;

  /**
   * Returns the `acr` and `amr` of the browser's sign-in, given those of the sign-in on the phone. They must not be
   * stronger than on the phone.
   * @default as much as on the phone
   */
  assurance?: Assure;

  /**
   * Offers on the phone how long the browser stays signed in, in this order; the first one is preselected. `'session'`:
   * until the browser is closed, `'8h'`: 8 hours, `'30d'`: 30 days (1 hour to 400 days). The session ends then, however
   * often it is used, and no later than your `ttl.Session` says. The user can change it at `/qr/devices`.
   * @default none: the user only chooses whether the browser stays signed in when it is closed
   */
  durations?: readonly Duration[];

  /**
   * Called for each new sign-in by QR once the browser is signed in, to inform the user by mail or push: of the
   * browser, its place, the client, and whether this account trusted the browser before (`browser.known`). The
   * plugin does not wait for the function; an error becomes a process warning.
   * @default none: sign-ins are not announced
   */
  onSignIn?: OnSignIn;

  /**
   * The apps that may approve sign-ins by the API at `/qr/api`, with an access token that has the scope `qr_login`.
   * Add that scope to the provider's `scopes`, and set `extraTokenClaims: qr.extraTokenClaims`. `clients` lists their
   * client ids. `name` is the name of your app, which the QR page tells users to open. `ios` (`'TEAMID.bundle'`) and
   * `android` (`{ package, sha256 }`) are served as the files by which phones open the address in a code with your app;
   * `scheme` is your app's own scheme, with which the pages offer to open it. See docs/apps.md.
   * @default {}: each client that was granted the scope `qr_login`
   */
  apps?: AppOptions;

  /**
   * Approvals of other things than sign-ins, which clients ask for at `/qr/actions` with an access token of the scope
   * `qr_action`: add that scope to the provider's `scopes`. `clients` lists their client ids; `jwks` are the provider's
   * keys, with which results are signed; `findAccount(loginHint, clientId)` returns the account of a `login_hint`.
   * `qr.requestApproval()` needs none of them. See docs/actions.md.
   * @default {}: each client that was granted the scope `qr_action`; results are not signed
   */
  actions?: ActionOptions;

  /**
   * Finds the users of clients that ask without a browser (CIBA). Give `qr.ciba` to oidc-provider as well: `features: {
   * ciba: { enabled: true, ...qr.ciba } }`. `findAccount(loginHint, clientId)` and `findAccountByToken(loginHintToken,
   * clientId)` return the account that a client names; `verifyUserCode(accountId, userCode, clientId)` checks the code
   * by which a user lets clients ask, and limits the wrong tries. See docs/ciba.md.
   * @default {}: a client can name its user by an `id_token_hint` alone; users have no code
   */
  ciba?: CibaOptions;

  /**
   * Offers "Ask my phone" beside the code, in a browser that an account trusts. The request then waits for the phones
   * of that account, as the requests of clients do: `notify` is called for it. Its user enters on the phone the number
   * that the browser shows: `entry` is `'type'` (two digits) or the weaker `'tap'` (one of three numbers). If no phone
   * opens the request within `wait` seconds (10 to 120), the browser shows a code. See docs/push.md.
   * @default none: browsers show a code
   */
  askPhone?: AskPhoneOptions;

  /**
   * Tells phones by Web Push about requests that wait for their account, in browsers whose users have asked for it at
   * `/qr/devices`. `vapid` has your keys: `{ subject, publicKey, privateKey }`, and must stay the same. `hosts` are the
   * push services that the server sends to, and `agent` is an agent of `node:https` for a proxy. See docs/push.md.
   * @default none: no phone is told by Web Push
   */
  push?: PushOptions;

  /**
   * Called for each request that waits for an account without having been scanned, to notify the account's phones by
   * your push service. `url` opens the request on a page of the provider, `id` in your app. Put no details into the
   * text of a notification: a locked phone shows it. The plugin does not wait for the function; an error becomes a
   * process warning.
   * @default none: users find requests at `/qr/devices` and in your app
   */
  notify?: Notify;

  /**
   * Returns true if this app, on this device, may approve sign-ins: demand an attestation of the app here, from a
   * header of the request or from your own records. It is called for each request of an app, after its token and proof
   * were checked. With `false` the app gets 403 `app_refused`.
   * @default true, always
   */
  assureApp?: AssureApp;

  /**
   * Demands that apps sign each decision: what their user was shown and what they decided, as a JWS with the key of
   * their tokens. A decision without a signature is refused. Without this option an app may still sign. See
   * docs/apps.md.
   * @default false
   */
  signedDecisions?: boolean;

  /**
   * Keeps a decision that an app has signed, in an append-only record of yours, so that you can prove later what was
   * approved. It is called before the decision takes effect: if it throws, the decision is refused.
   * @default none: signatures are verified, and not kept
   */
  onDecision?: OnDecision;

  /**
   * Keeps the tickets. `new Keyv()` keeps them in memory; a Keyv over `@keyv/redis` serves any number of processes, any
   * other Keyv serves one. It stays yours: disconnect it after `close()`. A function makes the engine of a store of
   * your own, such as a database; `oidc-provider-qr-login/store-contract` has the tests that it must pass.
   * @default new Keyv(), in memory
   */
  store?: AnyKeyv | MakeStoreEngine;

  /**
   * Secrets of at least 32 characters each. They sign the codes, the check codes, the challenges and the forms, and the
   * names of the records in the store are derived from them. The first one signs and all of them verify, so put a new
   * one first. All nodes need the same list.
   * @default the provider's `cookies.keys`
   */
  secrets?: readonly string[];

  /**
   * The name of your provider for users, on the pages.
   * @default the issuer's host
   */
  name?: string;

  /**
   * Returns your picture of a client, for the pages that name it: `{ type, bytes }`, or a `data:` URL in base64,
   * of a PNG, JPEG, WebP or SVG picture of 64 KiB at most. It is served from the provider's own origin. Check
   * what a client has given you before you return it, and do not fetch it here: the plugin never loads an address
   * that a client has registered. If the function fails or takes longer than half a second, the page goes on
   * without a logo, and the process warns with `QR_LOGIN_LOGO`.
   * @default none: the initials of the client's name
   */
  clientLogo?: ClientLogo;

  /**
   * A folder of yours, or several, that changes the look and the texts of the pages; of several, the later one wins. In
   * it, `pages/*.eta` replace the templates and partials of the same name (each is rendered once at start-up to find
   * mistakes), `locales/*.json` replace texts or add languages, and `assets/*` are served beside the plugin's own;
   * every page loads `assets/theme.css`. See docs/theming.md.
   * @default none: the plugin's own pages and texts
   */
  views?: string | URL | readonly (string | URL)[];

  /**
   * Shows the code's address as a link on the QR page, to try things out without a phone. Leave it off in production,
   * because a link makes a code easy to pass on.
   * @default false
   */
  showAddress?: boolean;

  /**
   * Lets users who cannot scan type eight characters instead, at `/qr/scan` on the phone. A short code always requires
   * the check code, even if `assess` allows a tap.
   * @default false
   */
  shortCode?: boolean;

  /**
   * Chooses how a check code shows that the phone is near the browser. `'digits'`: the user types six digits of the
   * phone at the browser. `'tap'`: the browser shows a number of two digits once the phone has scanned, and the user
   * taps this number on the phone, among three. A tap is easier, but proves less: a blind tap is right once in three
   * times.
   * @default 'digits'
   */
  checkCodeEntry?: CheckCodeEntry;

  /**
   * Lets a browser that was itself signed in by QR approve other browsers. Without this option, the user of such a
   * browser has to sign in there first, as for `prompt=login`: otherwise an attacker with one mistaken approval could
   * approve any number of other browsers.
   * @default false
   */
  qrApprovers?: boolean;

  /**
   * The longest time in each state of a ticket, in seconds (1 to 600): until it is scanned, decided, finished. `signIn`
   * is the time that a code still waits once a phone that is not signed in has opened it. Each code gets this time
   * once, and it never shortens the time that the code has left. `hook` is the longest time that each of your functions
   * may take while a request waits for it, in seconds (1 to 60); after that the request gets 503 with `Retry-After`.
   * `locate` has half a second.
   * @default { scan: 120, decide: 120, finish: 120, signIn: 300, hook: 5 }
   */
  deadlines?: {
    scan?: number | undefined;
    decide?: number | undefined;
    finish?: number | undefined;
    signIn?: number | undefined;
    hook?: number | undefined;
  };

  /**
   * The interval at which the code on the screen is replaced, in seconds (1 to 60). The last three codes are valid.
   * @default 10
   */
  rotation?: number;

  /**
   * The way in which event streams are written. `'light'` writes to the connection's socket on plain HTTP/1.1, so that
   * Node.js can release the request and the response: a waiting browser then takes half of the memory. The head that
   * Node.js writes for the released response arrives inside the body, as a comment that browsers ignore. `'plain'` only
   * uses the response, as a Koa app usually does. Choose it if something between the server and the browser, or in the
   * process, cannot deal with `'light'`. See docs/operations.md.
   * @default 'light'
   */
  streams?: StreamStyle;

  /**
   * Lets an event stream give up its Node.js socket while it waits: the stream of a waiting browser then takes about
   * 1 KB of memory instead of 4. This uses undocumented parts of Node.js and checks for them first. Without them, and
   * on connections other than plain HTTP/1.1, streams work as usual, and the process warns once with
   * `QR_LOGIN_NOT_PARKED`. It cannot be combined with `streams: 'plain'`. See docs/performance.md.
   * @default false
   */
  parkStreams?: boolean;

  /**
   * Returns the time in milliseconds since the epoch; for tests. It must not be `async`.
   * @default Date.now
   */
  clock?: Clock;
}
