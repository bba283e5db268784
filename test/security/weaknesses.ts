/** Servers that lack one defence. Each of them exists only in the tests. */
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
import { recordFields } from './request-fields.ts';

type Patch = () => () => void;

/** Options under which every sign-in needs the check code. They are the setting of some attacks, not a weakness. */
export const askingForTheCheckCode: WorldOptions = { qrLogin: { assess: () => 'check code' } };

/** Applies several patches together. */
export function all(...patches: readonly Patch[]): Patch {
  return () => {
    const undo = patches.map((patch) => patch());
    return () => {
      for (const one of undo.reverse()) one();
    };
  };
}

/** A binding that is computed from the interaction's URL. */
export const bindingFromTheUrl: Patch = replacing(Cookies.prototype, 'binding', () => (_ctx, uid) => uid);

/** A binding that is the same for every interaction of every browser. */
export const oneBindingForAll: Patch = replacing(Cookies.prototype, 'binding', () => () => 'any browser');

/** A provider that finds an interaction by its URL alone, without its cookie. */
export const interactionFromTheUrl: WorldOptions = inFront(async (ctx, next) => {
  const [, kind, uid] = /^\/(interaction|auth)\/([\w-]+)/.exec(ctx.path) ?? [];
  if (uid !== undefined) present(ctx, kind === 'auth' ? '_interaction_resume' : '_interaction', uid);
  await next();
});

/** A provider that accepts cookies without a signature. */
export const unsignedCookies: WorldOptions = inFront(async (ctx, next) => {
  for (const pair of ctx.get('cookie').split('; ')) {
    const [name = '', ...value] = pair.split('=');
    if (name !== '' && !name.endsWith('.sig')) present(ctx, name, value.join('='));
  }
  await next();
});

/** A store in which the last write wins. */
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

/** A store that returns a changed ticket to the phone. */
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

/** A store that returns a changed ticket to the browser. */
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

/** Returns the ticket as if it were still waiting. */
export function asWaiting({ id, version, interaction, request, browser, shownAt, since, endsAt }: Ticket): Ticket {
  return { id, version, interaction, request, browser, shownAt, since, endsAt, deadline: endsAt, state: 'waiting' };
}

/** Adds a cookie to a request, with the signature that the server itself would make. */
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

/** All providers share one AsyncLocalStorage, because each additional one makes all promises slower. */
const requests = new AsyncLocalStorage<Context>();

/** A provider that replaces the account of the session with the account that a request names. */
export function believing(read: (ctx: Context) => string | undefined): WorldOptions {
  const extend = ({ provider }: Fixture): void => {
    const believed = new Map<string, string>();
    provider.middleware.unshift(recordFields, (ctx, next) => requests.run(ctx, next));
    const sessions: { find(id: string): Promise<Session | undefined> } = provider.Session;
    replacing(sessions, 'find', (find) => async (id) => {
      const session = await find.call(sessions, id);
      const ctx = requests.getStore();
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

/** A server that trusts the first address in the header, which the client may have forged. */
export const trustsForgedAddresses: Weakness = {
  defence: 'distrust of addresses before the entry that the proxy added',
  options: inFront(async (ctx, next) => {
    ctx.req.headers['x-forwarded-for'] = ctx.get('x-forwarded-for').split(',')[0];
    await next();
  }),
};
