/** Rows 8 and 9 of the table in docs/security.md: no other site acts for the user, and looking changes nothing. */
import type { Middleware } from 'koa';
import type { RequestOptions } from '../../support/agent.ts';
import type { Site } from '../../support/visitors.ts';
import { type Attack, inFront } from '../attack.ts';
import { looking } from './looking.ts';
import { sendOwn, TARGETS, type Target } from './targets.ts';
import { tokens } from './tokens.ts';

const EVIL = 'https://evil.example';

/** Headers that a browser may add to a form from another site's page. ISSUER stands for our own origin. */
const FOREIGN: readonly Record<string, string>[] = [
  { origin: EVIL },
  { origin: EVIL, referer: 'ISSUER/account' },
  { origin: 'null' },
  { origin: 'ISSUER.evil.example' },
  { origin: 'https://evil.example/ISSUER' },
  { origin: `ISSUER, ${EVIL}` },
  { origin: 'http://localhost:1' },
  { origin: 'ISSUER', 'sec-fetch-site': 'cross-site' },
  { origin: 'ISSUER', 'sec-fetch-site': 'same-site' },
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'none' },
  { 'sec-fetch-site': 'same-origin-ish' },
];

/** Servers with incomplete checks, and the headers that pass them. */
const SLOPPY: readonly (readonly [lacks: string, header: string, passes: RegExp, sent: Record<string, string>])[] = [
  ['a refusal of opaque origins, which sandboxed frames have', 'origin', /^null$/, { origin: 'null' }],
  ['a check of the end of the origin', 'origin', /^http:\/\/localhost/, { origin: 'ISSUER.evil.example' }],
  ['a check of the beginning of the origin', 'origin', /localhost/, { origin: 'https://evil.example/ISSUER' }],
  ['a check of Sec-Fetch-Site', 'sec-fetch-site', /./, { origin: 'ISSUER', 'sec-fetch-site': 'cross-site' }],
  [
    'a refusal of sibling origins on the same site',
    'sec-fetch-site',
    /^same-/,
    { origin: 'ISSUER', 'sec-fetch-site': 'same-site' },
  ],
];

/** A server that ignores a header with a value like this. */
function overlooking(header: string, passes: RegExp): Middleware {
  return async (ctx, next) => {
    if (passes.test(ctx.get(header))) delete ctx.req.headers[header];
    await next();
  };
}

const blind: Middleware = async (ctx, next) => {
  delete ctx.req.headers.origin;
  delete ctx.req.headers['sec-fetch-site'];
  await next();
};

/** A server that parses text as JSON, as body parsers do that guess the type. */
const guessing: Middleware = async (ctx, next) => {
  if (ctx.get('content-type').startsWith('text/plain')) ctx.req.headers['content-type'] = 'application/json';
  await next();
};

/** A server that treats a body that it cannot read as an empty one. */
const lenient: Middleware = async (ctx, next) => {
  if (/^(multipart|text|image)\//.test(ctx.get('content-type'))) {
    for (const header of ['content-type', 'content-length', 'transfer-encoding']) delete ctx.req.headers[header];
  }
  await next();
};

/** A server that lets every site read its answers. */
const open: Middleware = async (ctx, next) => {
  ctx.set({ 'Access-Control-Allow-Origin': ctx.get('origin'), 'Access-Control-Allow-Credentials': 'true' });
  if (ctx.method === 'OPTIONS') ctx.status = 204;
  else await next();
};

/** Bodies besides forms that a page may send to another site without a CORS preflight. */
const DISGUISED: readonly (readonly [
  name: string,
  type: string,
  server: Middleware,
  body: (fields: object) => string,
])[] = [
  ['JSON that is declared as text', 'text/plain', guessing, (fields) => JSON.stringify(fields)],
  [
    'a multipart form',
    'multipart/form-data; boundary=x',
    lenient,
    () => '--x\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n--x--\r\n',
  ],
];

const [finish] = TARGETS;

export const attacks: Attack[] = [
  ...TARGETS.map((target) => ({
    row: 9,
    name: `another site's form ${target.does}, with any headers about its origin`,
    ...(target.on && { on: target.on }),
    without: { defence: 'a check of Origin and Sec-Fetch-Site', options: inFront(blind) },
    run: (site: Site) =>
      lure(site, target, (fields) =>
        FOREIGN.map((headers) => ({ form: fields, headers: replaceIssuer(headers, site) })),
      ),
  })),
  ...SLOPPY.map(([lacks, header, passes, sent]) => ({
    row: 9,
    name: `a form with ${JSON.stringify(sent)} ${finish.does}`,
    without: { defence: lacks, options: inFront(overlooking(header, passes)) },
    run: (site: Site) => lure(site, finish, (fields) => [{ form: fields, headers: replaceIssuer(sent, site) }]),
  })),
  ...DISGUISED.map(([name, type, server, body]) => ({
    row: 9,
    name: `a browser that sends no Origin sends ${name} and ${finish.does}`,
    without: { defence: 'a list of the accepted types', options: inFront(server) },
    run: (site: Site) => lure(site, finish, (fields) => [{ body: body(fields), headers: { 'content-type': type } }]),
  })),
  {
    row: 9,
    name: "another site's script can read the ticket or the token, or send JSON",
    without: { defence: 'answers without CORS headers', options: inFront(open) },
    run: readAcross,
  },
  ...tokens,
  ...looking,
];

/** Makes the victim send each of these requests, and then the request of the provider's own page, which must work. */
async function lure(
  site: Site,
  target: Target,
  requests: (fields: Record<string, string>) => RequestOptions[],
): Promise<string | undefined> {
  const victim = await target.prepare(site);
  for (const request of requests(victim.fields)) {
    const got = await victim.findEffect(await victim.who.agent.post(victim.url, request));
    if (got !== undefined) return got;
  }
  await sendOwn(victim);
  return undefined;
}

async function readAcross(site: Site): Promise<string | undefined> {
  const victim = await finish.prepare(site);
  const headers = {
    origin: EVIL,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'content-type',
  };
  const seen = [
    await victim.who.agent.get(victim.url.replace('/finish', ''), { headers: { origin: EVIL } }),
    await victim.who.agent.get(`${victim.url.replace('/finish', '')}?after=0`, { headers: { origin: EVIL } }),
    await victim.who.agent.send(victim.url, { method: 'OPTIONS', headers }),
  ];
  const readable = seen.find((answer) => ['*', EVIL].includes(answer.headers.get('access-control-allow-origin') ?? ''));
  return readable && `an answer that another site may read: ${readable.status}`;
}

function replaceIssuer(headers: Record<string, string>, { issuer }: Site): Record<string, string> {
  const { origin } = new URL(issuer);
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.replace('ISSUER', origin)]));
}
