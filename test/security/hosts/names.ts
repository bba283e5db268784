/** Row 19: the provider is where its issuer says, whatever a request calls it. */
import type { Context, Next } from 'koa';
import { Urls } from '../../../src/http/request/urls.ts';
import { BrowserVisitor, PhoneVisitor, type Site } from '../../support/visitors.ts';
import { type Attack, inFront, type Weakness } from '../attack.ts';
import { must } from '../pages/visits.ts';
import { type Raw, raw } from './visits.ts';

const EVIL = 'evil.example';

interface Lie {
  readonly name: string;
  readonly headers: Record<string, string>;
  readonly isAbsolute?: true;
  /** Whether only a server behind a proxy could believe it. */
  readonly isToProxies?: true;
}

const LIES: Lie[] = [
  { name: 'Host', headers: { host: EVIL } },
  { name: 'X-Forwarded-Host', headers: { 'x-forwarded-host': EVIL, 'x-forwarded-proto': 'https' }, isToProxies: true },
  { name: 'two X-Forwarded-Host', headers: { 'x-forwarded-host': `${EVIL}, localhost` }, isToProxies: true },
  { name: 'Forwarded', headers: { forwarded: `host=${EVIL};proto=https`, 'x-host': EVIL, 'x-original-host': EVIL } },
  {
    name: 'X-Forwarded-Prefix',
    headers: { 'x-forwarded-prefix': `//${EVIL}`, 'x-original-url': `//${EVIL}/` },
    isToProxies: true,
  },
  { name: 'a target that names another host', headers: {}, isAbsolute: true },
];

export const nameAttacks: Attack[] = LIES.map((lie) => tellingOnly(lie));

function tellingOnly(lie: Lie): Attack {
  return {
    row: 19,
    name: `has the code and the pages lead to another host by ${lie.name}`,
    on: { proxy: lie.isToProxies ?? false },
    without: believingRequests(),
    run: async (site) => {
      const browser = new BrowserVisitor(site);
      must(await browser.start(), 200);
      const code = await browser.code();
      const told = await Promise.all([
        tell(site, lie, browser, browser.at),
        tell(site, lie, browser, `${browser.at}/qr`),
        tell(site, lie, new PhoneVisitor(site), code),
      ]);
      if (told.some(({ status }) => status >= 400)) throw new Error(`refused: ${told.map(({ status }) => status)}`);
      const led = told.map(({ headers, text }) => `${headers.location ?? ''} ${text}`);
      return led.find((text) => text.includes(EVIL));
    },
  };
}

async function tell(
  site: Site,
  { headers, isAbsolute }: Lie,
  who: BrowserVisitor | PhoneVisitor,
  url: string,
): Promise<Raw> {
  const { pathname, search } = new URL(url);
  const cookie = await who.agent.jar.getCookieString(url);
  const target = isAbsolute ? `http://${EVIL}${pathname}${search}` : pathname + search;
  return raw(site, target, { accept: 'text/html', cookie, ...headers });
}

/** A server whose addresses are those that each request names. */
function believingRequests(): Weakness {
  let named = '';
  return {
    name: 'the issuer',
    options: inFront(async (ctx: Context, next: Next) => {
      named = /evil\.example/.exec(`${ctx.req.url} ${JSON.stringify(ctx.req.headers)}`)?.[0] ?? ctx.host;
      await next();
      // The sign-in page that phones are sent to is the deployment's.
      const location: unknown = ctx.response.get('location');
      if (typeof location === 'string') ctx.set('location', location.replace(/^http:\/\/[^/]+/, `http://${named}`));
    }),
    patch: () => {
      const { absolute } = Urls.prototype;
      Urls.prototype.absolute = (path) => `http://${named}${path}`;
      return () => {
        Urls.prototype.absolute = absolute;
      };
    },
  };
}
