import type { Keyv } from 'keyv';
import type { OnSignIn } from '../http/devices/record-sign-ins.ts';
import type { ApproveGuard, PasskeySignIn } from '../http/hooks/approve-guard.ts';
import type { ConsentPolicy, LoginPage, OtherWays, SignIn } from '../http/hooks/hooks.ts';
import type { Locate } from '../http/request/device.ts';
import type { Assure, FindAccount } from '../oidc/approver.ts';
import type { Clock } from '../ticket/ports.ts';
import type { Assess } from '../ticket/risk.ts';
import type { LimitOptions } from './rate-limits.ts';

/** What {@link qrLogin} needs to know. Everything is checked once, at start-up. */
export interface QrLoginOptions {
  /**
   * What an account is called, on the phone's pages; `undefined` for an account that may not sign in (any more).
   * Asked at each step of the phone and again before the browser is signed in.
   */
  findAccount: FindAccount;

  /**
   * Where a phone that is not signed in to the provider goes to sign in: a URL or path of yours that ends at
   * `wanted.returnTo`. With `wanted.fresh`, a session that is there already is not enough (`prompt=login`, `max_age`).
   */
  signIn: SignIn;

  /**
   * Which page a login prompt gets: `undefined` for the QR page, `{ path: 'password' }` for a page of your own at
   * `/interaction/:uid/password`. The phone must get one of your own, or it would have to scan itself.
   * @default the QR page, always
   */
  loginPage?: LoginPage;

  /**
   * The links on the QR page for people who cannot scan: `[{ path: 'password', label: 'Use a password' }]`.
   * @default none
   */
  otherWays?: OtherWays;

  /**
   * What a sign-in takes, given what is known of both devices: `'allow'` a tap, `'check code'` the six digits that the phone shows
   * and the browser must type, `'deny'` refuses it. Asked when the phone scans, and again on Approve. Where a person has said "I did
   * not start this", sign-ins from there are refused for this account for an hour, whatever this says.
   * @default assessByDefault: the check code, unless this account was signed in to this browser by QR before, or both share an address
   */
  assess?: Assess;

  /**
   * Where a network address is, roughly: `{ country: 'DE', city: 'Berlin' }`. The phone shows it as a hint, and `assess` is told.
   * Given half a second; where it fails, there is no place, and a warning.
   * @default nothing is known of any
   */
  locate?: Locate;

  /**
   * How many requests one address and one account may send a minute (`checkCode`: wrong check codes, an hour), 1 to 1,000,000, or `false` where something
   * in front of the provider does that. Whoever is over it gets 429 and `Retry-After` (RFC 6585, section 4). With Redis all nodes
   * count together.
   * @default { address: { show: 120, watch: 600, finish: 120, scan: 120, shortCode: 20, decide: 120 }, account: { scan: 20, shortCode: 6, decide: 40, checkCode: 12 } }
   */
  limits?: LimitOptions | false;

  /**
   * Asks for more than a tap before Approve counts. `passkeys()` of `oidc-provider-qr-login/passkeys` makes one.
   * @default none: a tap is enough
   */
  guard?: ApproveGuard;

  /**
   * Offers a passkey beside the code, for browsers that have one: the one way that nobody can relay. `passkeys()` makes one.
   * @default none
   */
  passkeySignIn?: PasskeySignIn;

  /**
   * Who consents to what a client asks for: `'browser'` on the consent page, as ever; `'phone'` by Approve, which grants
   * exactly what the confirm page lists; `'implied'` for clients of your own, of which nothing is asked.
   * @default 'browser', always
   */
  consent?: ConsentPolicy;

  /**
   * What a sign-in on a phone (`acr`, `amr`) is worth when it signs in another browser. It must not rise.
   * @default as much as on the phone
   */
  assurance?: Assure;

  /**
   * Told of each new sign-in by QR once the browser is signed in, so that its person can be told, by mail or push: whether it was
   * signed in to before (`browser.known`), what it is, where, for which app. Nobody waits for it; what it throws is a process warning.
   * @default nobody is told
   */
  onSignIn?: OnSignIn;

  /**
   * Where tickets live. `new Keyv()` keeps them in memory; a Keyv over `@keyv/redis` serves any number of processes, a Keyv over
   * anything else serves one.
   * @default new Keyv()
   */
  store?: Keyv;

  /**
   * What the codes in the QR are signed with: at least 32 characters each. The first one signs, all of them verify, so
   * that a new one can be put in front. The same on every node.
   * @default the provider's `cookies.keys`
   */
  secrets?: readonly string[];

  /**
   * What people know your provider as, on the pages.
   * @default the issuer's host
   */
  name?: string;

  /**
   * A folder of yours, or several, that changes how the pages look and speak; of two, the later one wins. In it, `pages/*.eta` take the place of the
   * templates and partials of the same name (each is rendered once at start-up, so that a mistake shows there), `locales/*.json` the place of
   * texts, or are new languages, and `assets/*` are served beside ours; `assets/theme.css` is loaded by every page. See docs/theming.md.
   * @default none: our own
   */
  views?: string | URL | readonly (string | URL)[];

  /**
   * Whether the QR page shows the code's address as a link, for people who try things out without a phone.
   * @default false
   */
  showAddress?: boolean;

  /**
   * Whether people who cannot scan may type eight characters instead, at `/qr/scan` on the phone. Whoever does is always asked for the
   * check code, whatever `assess` allows.
   * @default false
   */
  shortCode?: boolean;

  /**
   * How many seconds each state of a ticket may last (1 to 600): until it is scanned, decided, finished.
   * @default { scan: 120, decide: 120, finish: 120 }
   */
  deadlines?: { scan?: number | undefined; decide?: number | undefined; finish?: number | undefined };

  /**
   * After how many seconds (1 to 60) the code on the screen is replaced. The last three are good.
   * @default 10
   */
  rotation?: number;

  /**
   * Whether an event stream gives up its Node.js socket while it waits: a waiting browser then takes about 2 KB of memory instead of 6. It uses
   * parts of Node.js that are not documented, which it looks for before; where they are missing, and for connections that are not
   * plain HTTP/1.1, streams go on as without it, with a warning (`QR_LOGIN_NOT_PARKED`). See docs/performance.md.
   * @default false
   */
  parkStreams?: boolean;

  /**
   * What time it is, in milliseconds since the epoch; for tests.
   * @default Date.now
   */
  clock?: Clock;
}
