/**
 * Row 19 of the table in docs/security.md: the provider's URLs begin with its issuer, even if a request names another
 * host.
 */
import type { Context, Next } from 'koa';
import { Urls } from '../../../src/http/request/urls.ts';
import { BrowserVisitor, PhoneVisitor, type Site } from '../../support/visitors.ts';
import { type Attack, inFront, type Weakness } from '../attack.ts';
import { must } from '../pages/visits.ts';
import { type RawAnswer, sendRaw } from './visits.ts';

const EVIL = 'evil.example';

interface Lie {
  readonly name: string;
  readonly headers: Record<string, string>;
  readonly isAbsolute?: true;
  /** True if only a server that trusts a proxy could be deceived by the header. */
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
    name: `makes the code or a page lead to another host by ${lie.name}`,
    on: { proxy: lie.isToProxies ?? false },
    without: believingRequests(),
    run: async (site) => {
      const browser = new BrowserVisitor(site);
      must(await browser.start(), 200);
      const code = await browser.code();
      const answers = await Promise.all([
        sendLie(site, lie, browser, browser.at),
        sendLie(site, lie, browser, `${browser.at}/qr`),
        sendLie(site, lie, new PhoneVisitor(site), code),
      ]);
      if (answers.some(({ status }) => status >= 400))
        throw new Error(`the server refused a request: ${answers.map(({ status }) => status)}`);
      const led = answers.map(({ headers, text }) => `${headers.location ?? ''} ${text}`);
      return led.find((text) => text.includes(EVIL));
    },
  };
}

async function sendLie(
  site: Site,
  { headers, isAbsolute }: Lie,
  who: BrowserVisitor | PhoneVisitor,
  url: string,
): Promise<RawAnswer> {
  const { pathname, search } = new URL(url);
  const cookie = await who.agent.jar.getCookieString(url);
  const target = isAbsolute ? `http://${EVIL}${pathname}${search}` : pathname + search;
  return sendRaw(site, target, { accept: 'text/html', cookie, ...headers });
}

/** A server that builds its URLs from the host that each request names. */
function believingRequests(): Weakness {
  let named = '';
  return {
    defence: 'the issuer',
    options: inFront(async (ctx: Context, next: Next) => {
      named = /evil\.example/.exec(`${ctx.req.url} ${JSON.stringify(ctx.req.headers)}`)?.[0] ?? ctx.host;
      await next();
      // The deployment builds the URL of its sign-in page itself, so the weak server rewrites the redirect to it.
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
