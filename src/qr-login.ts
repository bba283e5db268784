import type { interactionPolicy, KoaContextWithOIDC, Provider } from 'oidc-provider';
import { Assets } from './http/assets.ts';
import { BrowserViews } from './http/browser-view.ts';
import { Cookies } from './http/cookies.ts';
import { EventStreams } from './http/event-stream.ts';
import { announcer } from './http/events.ts';
import { Locales } from './http/locales.ts';
import { LongPolls } from './http/long-poll.ts';
import { routes } from './http/routes.ts';
import { Urls } from './http/urls.ts';
import { Views } from './http/views.ts';
import type { Interaction } from './oidc/interaction.ts';
import { qrLoginPolicy } from './oidc/policy.ts';
import { rememberOnResume } from './oidc/sign-in.ts';
import { checkedSecrets, checkOptions, type QrLoginOptions, type Settings } from './options.ts';
import { isInMemory } from './stores/expiry-sweep.ts';
import { KeyvTicketStore } from './stores/keyv-ticket-store.ts';
import { LocalSignals } from './stores/local-signals.ts';
import { Ceremony } from './ticket/ceremony.ts';
import { Codes } from './ticket/code.ts';
import { Keys } from './ticket/keys.ts';

/** QR sign-in for one provider. */
export interface QrLogin {
  /** For the provider's `interactions.policy`; prompts of your own may be added before the provider is made. */
  readonly policy: interactionPolicy.DefaultPolicy;

  /** For the provider's `interactions.url`. */
  readonly interactionUrl: (ctx: KoaContextWithOIDC, interaction: Interaction) => string;

  /**
   * Puts the pages on the provider, so that every host that it is mounted in has them.
   * @throws TypeError where the provider does not sign its cookies, or has its development interactions switched on
   */
  readonly attach: (provider: Provider) => void;

  /** Ends what waits, so that the server can stop. */
  readonly close: () => void;
}

/**
 * Makes QR sign-in for a provider:
 *
 * @example
 * const qr = qrLogin({ findAccount, signIn });
 * const provider = new Provider(issuer, {
 *   ...configuration,
 *   interactions: { policy: qr.policy, url: qr.interactionUrl },
 * });
 * qr.attach(provider);
 *
 * @throws TypeError where an option is wrong
 */
export function qrLogin(options: QrLoginOptions): QrLogin {
  const settings = checkOptions(options);
  let attached: Attached | undefined;
  return {
    policy: qrLoginPolicy(),
    interactionUrl: (ctx, interaction) => {
      if (attached === undefined) throw new TypeError('call attach(provider) right after the provider was made');
      return attached.interactionUrl(ctx, interaction);
    },
    attach: (provider) => {
      if (attached !== undefined)
        throw new TypeError('attach(provider) was called already; make a qrLogin for each provider');
      attached = attach(provider, settings);
    },
    close: () => attached?.close(),
  };
}

type Attached = Pick<QrLogin, 'interactionUrl' | 'close'>;

function attach(provider: Provider, settings: Settings): Attached {
  assertNoDevInteractions(provider);
  rememberOnResume(provider);
  const { store: keyv, clock, lifetimes, rotation, name } = settings;
  const keys = new Keys(secretsOf(provider, settings));
  const codes = new Codes(keys, rotation);
  const urls = new Urls(provider.issuer);
  const cookies = new Cookies(urls);
  const assets = new Assets(urls);
  const browserViews = new BrowserViews(codes, urls);
  const streams = new EventStreams(browserViews, clock);
  const longPolls = new LongPolls(browserViews, clock);
  const store = new KeyvTicketStore(keyv, clock);
  const signals = new LocalSignals();
  if (!isInMemory(keyv)) warnOneProcess();

  provider.use(
    routes({
      provider,
      ceremony: new Ceremony({ store, signals, clock, keys, codes, lifetimes }),
      announce: announcer(provider),
      signals,
      keys,
      clock,
      urls,
      cookies,
      assets,
      views: new Views(assets, new Locales(), name ?? new URL(provider.issuer).host),
      browserViews,
      streams,
      longPolls,
      hooks: settings,
    }),
  );

  return {
    interactionUrl: (ctx, interaction) => {
      // Set along with oidc-provider's own cookie: both say that this browser started the interaction.
      cookies.bind(ctx, interaction, interaction.exp * 1000 - clock());
      return urls.interaction(interaction.uid);
    },
    close: () => {
      streams.close();
      longPolls.close();
      store.close();
    },
  };
}

/** They would put the provider's own pages in the place of `interactions.url`, silently. */
function assertNoDevInteractions(provider: Provider): void {
  try {
    provider.urlFor('interaction', { uid: 'any' });
  } catch {
    // There is no such route: they are off, as it should be.
    return;
  }
  throw new TypeError('set features.devInteractions.enabled to false in the configuration of the provider');
}

/** Without signed cookies, whoever knows an interaction's uid could finish it. */
function secretsOf(provider: Provider, { secrets }: Settings): readonly string[] {
  const keys: unknown = provider.keys;
  if (keys === undefined || (Array.isArray(keys) && keys.length === 0)) {
    throw new TypeError(
      'the provider must sign its cookies: set cookies.keys in its configuration, for example to [process.env.COOKIE_KEY]; make one with: openssl rand -base64 32',
    );
  }
  if (secrets !== undefined) return secrets;
  if (Array.isArray(keys)) return checkedSecrets('cookies.keys', keys);
  throw new TypeError('cookies.keys is not a list of texts: give qrLogin the option "secrets"');
}

function warnOneProcess(): void {
  process.emitWarning(
    'this store cannot compare and swap, so it serves one process only: do not start a second one on it',
    {
      type: 'QrLoginWarning',
      code: 'QR_LOGIN_ONE_PROCESS',
    },
  );
}
