/**
 * Row 20 of the table in docs/security.md: no answer leads to an address of the attacker, and no POST is repeated by a
 * redirect.
 */

import type { Middleware } from 'koa';
import { passwordOf } from '../../fixtures/people.ts';
import type { Answer } from '../../support/agent.ts';
import { PhoneVisitor, type Site } from '../../support/visitors.ts';
import { phoneOf } from '../approver/people.ts';
import { type Attack, inFront, oncePerSite } from '../attack.ts';
import { atTheCode, TARGETS } from '../csrf/targets.ts';
import { fieldsIn, recordFields } from '../request-fields.ts';

/** Addresses of another site, written in ways that filters overlook. */
const ELSEWHERE = [
  'https://evil.example/',
  '//evil.example/',
  '///evil.example/',
  '/\\evil.example/',
  '\\\\evil.example/',
  '/\t/evil.example/',
  '/\r\n/evil.example/',
  '\t//evil.example/',
  ' https://evil.example/',
  'https:evil.example',
  'HTTPS://evil.example',
  'javascript:alert(1)//',
  'data:text/html,evil',
  '/%2f%2fevil.example',
  '%2f%2fevil.example',
  '@evil.example/',
  '.evil.example/',
  ':80@evil.example/',
];

/** Beginnings of our own addresses, to which the attacker's addresses are appended. */
const BEHIND = ['/qr/', '/qr', '/qr/..', '/qr/../', '/qr/%2e%2e/', '/qr/..\\', '/account'];

/** Good addresses that are followed by a header of the attacker's own. */
const SPLIT = [
  '/qr/x\r\nLocation: https://evil.example/',
  '/qr/x\r\n\r\n<script>',
  '/qr/x%0d%0aLocation:%20https://evil.example/',
];

/** Names that a server may use for the address to go to afterwards. */
const NAMES = [
  'returnTo',
  'return_to',
  'redirectTo',
  'redirect_to',
  'redirect_uri',
  'redirect',
  'next',
  'url',
  'state',
  'back',
];

/** A server with pages that lead to any address in the request. */
const obeying: Middleware = async (ctx, next) => {
  await recordFields(ctx, next);
  const named = NAMES.map((name) => `${ctx.query[name] ?? fieldsIn(ctx)[name] ?? ''}`);
  const target = named.find((value) => value.includes('evil'));
  if (target === undefined || ctx.path.includes('/auth')) return;
  if (ctx.response.get('Location') !== '') ctx.set('Location', encodeURI(target));
  if (ctx.body?.redirectTo !== undefined) ctx.body = { redirectTo: target };
};

/** A server that checks the beginning of an address, but treats two slashes as one. */
const takingTwoSlashes: Middleware = async (ctx, next) => {
  await next();
  const { state } = ctx.query;
  if (ctx.path.endsWith('/account/signed-in') && typeof state === 'string' && state.startsWith('/')) {
    ctx.redirect(state.replace(/[\t\r\n]/g, ''));
  }
};

/** A server that answers a form with another redirect than See Other. */
function answering(status: number): Middleware {
  return async (ctx, next) => {
    await next();
    if (ctx.status === 303) ctx.status = status;
  };
}

const findWrongRedirect = oncePerSite(async (site) => {
  const answers: [string, Answer][] = [];
  for (const { does, prepare: meet } of TARGETS.filter(({ on }) => on === undefined)) {
    const { who, url, fields } = await meet(site);
    answers.push([does, await who.submit(url, fields)]);
  }
  const browser = await atTheCode(site);
  const password = { name: 'alice', password: passwordOf('alice') };
  answers.push(['signs in', await browser.submit(`${browser.at}/password`, password)]);
  if (answers.some(([, { location }]) => location === '')) throw new Error('a form leads nowhere');
  const wrong = answers.find(([, { status }]) => status !== 303);
  return wrong && `${wrong[0]}: ${wrong[1].status}`;
});

export const attacks: Attack[] = [
  {
    row: 20,
    name: 'a link to the return address of the account page leads to another site',
    without: { defence: 'a check of the target', options: inFront(obeying) },
    run: followLinks((target, { issuer }) => [`${issuer}/account/signed-in?${new URLSearchParams({ state: target })}`]),
  },
  {
    row: 20,
    name: 'a link to the return address of the account page leads to another site because the address looks like a path',
    without: { defence: 'a check of the second character', options: inFront(takingTwoSlashes) },
    run: followLinks((target, { issuer }) => [
      `${issuer}/account/signed-in?${new URLSearchParams({ state: target.replace(/^(?!\/)/, '/') })}`,
    ]),
  },
  {
    row: 20,
    name: 'a link to the sign-in leads to another site after the victim has signed in',
    without: { defence: 'a check of the target', options: inFront(obeying) },
    run: async (site) => {
      const { issuer } = site;
      const query = { client_id: 'account', response_type: 'none', scope: 'openid', state: '//evil.example/' };
      const link = `${issuer}/auth?${new URLSearchParams({ ...query, redirect_uri: `${issuer}/account/signed-in` })}`;
      const phone = await phoneOf(site, 'alice');
      const elsewhere = (url: URL): boolean => url.origin !== new URL(issuer).origin;
      return foreignTarget(await phone.agent.follow(link, elsewhere), site);
    },
  },
  {
    row: 20,
    name: 'a link to a code leads a phone to another site instead of the sign-in',
    without: { defence: 'targets that only the server sets', options: inFront(obeying) },
    run: async (site) => {
      const browser = await atTheCode(site);
      const code = await browser.code();
      return followLinks((target) => [`${code}?${new URLSearchParams(everywhere(target))}`])(site);
    },
  },
  {
    row: 20,
    name: 'extra fields of a form decide where the answer leads',
    without: { defence: 'targets that only the server sets', options: inFront(obeying) },
    run: async (site) => {
      for (const { prepare: meet } of TARGETS.filter(({ on }) => on === undefined)) {
        const { who, url, fields } = await meet(site);
        const more = everywhere('https://evil.example/');
        const asked = `${url}?${new URLSearchParams(more)}`;
        const got =
          foreignTarget(await who.submit(asked, { ...more, ...fields }), site) ??
          foreignTarget(await who.post(asked, { ...more, ...fields }), site);
        if (got !== undefined) return got;
      }
      return undefined;
    },
  },
  ...[
    { name: 'that leaves the method open', status: 302 },
    { name: 'that repeats the POST with its fields', status: 307 },
  ].map(({ name, status }) => ({
    row: 20,
    name: `a form is answered with a redirect ${name}`,
    without: { defence: 'See Other', options: inFront(answering(status)) },
    run: findWrongRedirect,
  })),
];

/** Opens the links for all of these addresses. @returns the first target that leads away */
function followLinks(links: (target: string, site: Site) => string[]): Attack['run'] {
  return async (site) => {
    const { pathname } = new URL(site.issuer);
    const base = pathname.replace(/\/$/, '');
    const ours = BEHIND.flatMap((path) => ELSEWHERE.map((target) => base + path + target));
    for (const target of [...ELSEWHERE, ...ours, ...SPLIT]) {
      for (const link of links(target, site)) {
        const answer = await new PhoneVisitor(site).agent.get(link, { headers: { accept: 'text/html' } });
        if (answer.location === '') throw new Error(`this leads nowhere: ${link}`);
        const got = foreignTarget(answer, site);
        if (got !== undefined) return got;
      }
    }
    return undefined;
  };
}

/** Returns the target of an answer, if that is neither the provider nor the app. */
function foreignTarget({ url, headers, text }: Answer, { issuer, client }: Site): string | undefined {
  const targets = [headers.get('location'), /"redirectTo":"([^"]+)"/.exec(text)?.[1], headers.get('refresh')];
  return (
    targets.find((target) => {
      if (!target) return false;
      const next = new URL(target, url);
      const within = new URLSearchParams(next.search).get('state') ?? '';
      return (
        ![new URL(issuer).origin, new URL(client.callback).origin].includes(next.origin) || within.includes('evil')
      );
    }) ?? undefined
  );
}

function everywhere(target: string): Record<string, string> {
  return Object.fromEntries(NAMES.map((name) => [name, target]));
}
