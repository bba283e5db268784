import type { Provider } from '../oidc/provider.ts';
import type { Ceremony } from '../ticket/ceremony.ts';
import type { Clock, Signals } from '../ticket/ports.ts';
import type { SecretKeys } from '../ticket/secret-keys.ts';
import type { SignedInBrowsers } from '../ticket/signed-in-browser.ts';
import type { RemoteSignOut } from './devices/remote-sign-out.ts';
import type { Announce } from './events/ticket-events.ts';
import type { Hooks } from './hooks/hooks.ts';
import type { Assets } from './pages/assets.ts';
import type { PageRenderer } from './pages/renderer.ts';
import type { Cookies } from './request/cookies.ts';
import type { DeviceDescriber } from './request/device.ts';
import type { RateLimits } from './request/rate-limits.ts';
import type { Urls } from './request/urls.ts';
import type { EventStreams } from './streams/event-streams.ts';
import type { LongPolls } from './streams/long-poll.ts';
import type { BrowserViews } from './ticket-view/browser-view.ts';

/** What the handlers stand on. */
export interface Services {
  readonly provider: Provider;
  readonly ceremony: Ceremony;
  readonly announce: Announce;
  readonly signals: Signals;
  readonly keys: SecretKeys;
  readonly clock: Clock;
  readonly urls: Urls;
  readonly cookies: Cookies;
  readonly assets: Assets;
  readonly renderer: PageRenderer;
  readonly browserViews: BrowserViews;
  readonly streams: EventStreams;
  readonly longPolls: LongPolls;
  readonly limits: RateLimits;
  readonly devices: DeviceDescriber;
  readonly browsers: SignedInBrowsers;
  readonly remoteSignOut: RemoteSignOut;
  readonly hooks: Hooks;
}
