/** What servers are like that lack one thing. Each stands in the tests only. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { createHmac } from 'node:crypto';
import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import { Cookies } from '../../src/http/request/cookies.ts';
import { KeyvTicketStore } from '../../src/stores/memory/ticket-store.ts';
import type { Ticket } from '../../src/ticket/ticket.ts';
import type { Fixture } from '../fixtures/provider.ts';
import type { WorldOptions } from '../support/world.ts';
import { inFront, replacing, type Weakness } from './attack.ts';

type Patch = () => () => void;

/** No weakness, but what some attacks are about: every sign-in takes the check code. */
export const askingForTheCheckCode: WorldOptions = { qrLogin: { assess: () => 'check code' } };

/** Several patches at once. */
export function all(...patches: readonly Patch[]): Patch {
  return () => {
    const undo = patches.map((patch) => patch());
    return () => {
      for (const one of undo.reverse()) one();
    };
  };
}

/** A binding that is made from what everybody knows who has seen the interaction's URL. */
export const bindingFromTheUrl: Patch = replacing(Cookies.prototype, 'binding', () => (_ctx, uid) => uid);

/** A binding that is the same for every interaction of every browser. */
export const oneBindingForAll: Patch = replacing(Cookies.prototype, 'binding', () => () => 'anybody');

/** A provider that knows an interaction by its URL alone: whoever has that needs no cookie of it. */
export const interactionFromTheUrl: WorldOptions = inFront(async (ctx, next) => {
  const [, kind, uid] = /^\/(interaction|auth)\/([\w-]+)/.exec(ctx.path) ?? [];
  if (uid !== undefined) present(ctx, kind === 'auth' ? '_interaction_resume' : '_interaction', uid);
  await next();
});

/** A provider that does not sign its cookies: whatever comes in is good. */
export const unsignedCookies: WorldOptions = inFront(async (ctx, next) => {
  for (const pair of ctx.get('cookie').split('; ')) {
    const [name = '', ...value] = pair.split('=');
    if (name !== '' && !name.endsWith('.sig')) present(ctx, name, value.join('='));
  }
  await next();
});

/** A store in which whoever writes last wins. */
export const lastWriteWins: Patch = replacing(
  KeyvTicketStore.prototype,
  'swap',
  (original) =>
    async function (this: KeyvTicketStore, previous, next, ended) {
      for (;;) {
        const stored = await this.findByInteraction(previous.interaction);
        if (stored === undefined) return false;
        if (await original.call(this, stored, next, ended)) return true;
      }
    },
);

/** A store that tells the phone something else of a ticket than what happened to it. */
export function phoneFinds(changed: (ticket: Ticket) => Ticket): Patch {
  return replacing(
    KeyvTicketStore.prototype,
    'find',
    (original) =>
      async function (this: KeyvTicketStore, id) {
        const ticket = await original.call(this, id);
        return ticket && changed(ticket);
      },
  );
}

/** A store that tells the browser something else of a ticket than what happened to it. */
export function browserFinds(changed: (ticket: Ticket) => Ticket): Patch {
  return replacing(
    KeyvTicketStore.prototype,
    'findByInteraction',
    (original) =>
      async function (this: KeyvTicketStore, uid) {
        const ticket = await original.call(this, uid);
        return ticket && changed(ticket);
      },
  );
}

/** What never happened to a ticket that is waiting. */
export function waiting({ id, version, interaction, request, browser, shownAt, since, endsAt }: Ticket): Ticket {
  return { id, version, interaction, request, browser, shownAt, since, endsAt, deadline: endsAt, state: 'waiting' };
}

/** Adds a cookie to a request, signed as the server itself does it. */
function present(ctx: Context, name: string, value: string): void {
  const { keys } = ctx.app;
  const [key] = Array.isArray(keys) ? keys : [];
  if (key === undefined) throw new Error('the provider has no list of keys for its cookies');
  const signature = createHmac('sha1', key).update(`${name}=${value}`).digest('base64url');
  const others = ctx
    .get('cookie')
    .split('; ')
    .filter((pair) => pair !== '' && !pair.startsWith(`${name}=`) && !pair.startsWith(`${name}.sig=`));
  ctx.req.headers.cookie = [`${name}=${value}`, `${name}.sig=${signature}`, ...others].join('; ');
}

type Session = Awaited<ReturnType<Provider['Session']['get']>>;

/** A provider that takes whom a request names for whoever is signed in there. */
export function believing(read: (ctx: Context) => string | undefined): WorldOptions {
  const extend = ({ provider }: Fixture): void => {
    const believed = new Map<string, string>();
    const request = new AsyncLocalStorage<Context>();
    provider.middleware.unshift((ctx, next) => request.run(ctx, next));
    const sessions: { find(id: string): Promise<Session | undefined> } = provider.Session;
    replacing(sessions, 'find', (find) => async (id) => {
      const session = await find.call(sessions, id);
      const ctx = request.getStore();
      const claimed = ctx && read(ctx);
      if (claimed !== undefined && session?.accountId !== undefined) {
        session.accountId = claimed;
        believed.set(session.uid, claimed);
      }
      return session;
    })();
    replacing(provider.Session, 'findByUid', (find) => async (uid) => {
      const session = await find.call(provider.Session, uid);
      if (session !== undefined) session.accountId = believed.get(uid) ?? session.accountId;
      return session;
    })();
  };
  return { extend };
}

/** A server that takes the first address that it is told, which the client may have made up. */
export const doubtsAboutAddresses: Weakness = {
  name: 'doubts about what stands before the last proxy',
  options: inFront(async (ctx, next) => {
    ctx.req.headers['x-forwarded-for'] = ctx.get('x-forwarded-for').split(',')[0];
    await next();
  }),
};
