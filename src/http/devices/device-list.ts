import type { RouterContext } from '@koa/router';
import type { EndedSession } from '../../oidc/end-session.ts';
import { sessionClients } from '../../oidc/session-clients.ts';
import { QrLoginError } from '../../ticket/errors.ts';
import type { SignedInBrowser } from '../../ticket/signed-in-browser.ts';
import type { Approver } from '../../ticket/ticket.ts';
import type { BrowserEntry } from '../pages/page-data.ts';
import { admit } from '../phone/admission.ts';
import { checkCsrf, csrfFor, type FormUse } from '../phone/csrf.ts';
import type { Claims } from '../phone/phone-request.ts';
import { sendToSignIn } from '../phone/sign-in-redirect.ts';
import { fieldsOf } from '../request/body.ts';
import { isForeign } from '../request/origin.ts';
import { seconds, seeOther, wantsJson } from '../request/responses.ts';
import type { Services } from '../services.ts';

/** How many browsers are signed out at a time. */
const AT_ONCE = 10;

/** What a person does with the browsers that the account is signed in to. Whose they are comes from the session alone. */
export class SignedInBrowserHandlers {
  readonly #services: Services;
  readonly #claims: Claims;

  constructor(services: Services, claims: Claims) {
    this.#services = services;
    this.#claims = claims;
  }

  /** `GET Q/devices`: the list. */
  list = async (ctx: RouterContext): Promise<void> => {
    const { keys, urls, views, hooks } = this.#services;
    ctx.state.again = urls.devices;
    const approver = await this.#claims.session(ctx);
    if (approver === undefined) return sendToSignIn(ctx, hooks.signIn, { returnTo: urls.devices, fresh: false });
    const { account } = await admit(this.#services, ctx, { approver, act: 'decide' });
    const page = { account, csrf: csrfFor(keys, forPage(approver)), browsers: await this.#entries(approver) };
    if (wantsJson(ctx)) ctx.body = page;
    else views.render(ctx, 'devices', { ...page, self: urls.devices, ...said(ctx) });
  };

  /** `POST Q/devices`: signs one of them out, or all. Of what is not on this account's list nobody learns why. */
  end = async (ctx: RouterContext): Promise<void> => {
    const { keys, urls, browsers } = this.#services;
    ctx.state.again = urls.devices;
    const session = await this.#claims.session(ctx);
    const { approver } = await admit(this.#services, ctx, { approver: session, act: 'decide' });
    checkCsrf(ctx, keys, forPage(approver));
    const { end } = fieldsOf(ctx);
    if (!end) throw new QrLoginError('invalid_request', '"end" is the id of a browser, or "all".');
    const list = await browsers.of(approver.accountId);
    const ended = await this.#endThose(ctx, approver, end === 'all' ? list : list.filter(({ id }) => id === end));
    // All have ended by now; nobody waited for an app until here.
    const unreached = (await Promise.all(ended.map((session) => session.unreached))).flat();
    const result = { ended: ended.length, unreached: new Set(unreached).size };
    if (wantsJson(ctx)) ctx.body = result;
    else seeOther(ctx, `${urls.devices}?ended=${result.ended}${result.unreached > 0 ? '&unreached=yes' : ''}`);
  };

  /** This very session last: while one of the others cannot be ended, it is there to try again. */
  async #endThose(
    ctx: RouterContext,
    { accountId, sessionUid }: Approver,
    list: readonly SignedInBrowser[],
  ): Promise<EndedSession[]> {
    const { remoteSignOut } = this.#services;
    const others = list.filter((browser) => browser.sessionUid !== sessionUid);
    const here = list.filter((browser) => browser.sessionUid === sessionUid);
    const ended: EndedSession[] = [];
    for (const some of [...inParts(others), here]) {
      const outcomes = await Promise.allSettled(some.map((browser) => remoteSignOut.end(ctx, accountId, browser)));
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') throw outcome.reason;
        if (outcome.value !== undefined) ended.push(outcome.value);
      }
    }
    return ended;
  }

  /** Those whose session is there yet, the one that was used last first. */
  async #entries({ accountId, sessionUid: here }: Approver): Promise<BrowserEntry[]> {
    const { provider, browsers, clock } = this.#services;
    const list = [...(await browsers.of(accountId))].sort((one, other) => other.lastUsedAt - one.lastUsedAt);
    const entries = await Promise.all(
      list.map(async ({ sessionUid, endsAt: _endsAt, ...browser }) => {
        const clients = await sessionClients(provider, { accountId, sessionUid });
        if (clients === undefined) return [];
        return {
          ...browser,
          signedInAt: new Date(browser.signedInAt).toISOString(),
          lastUsedAt: new Date(browser.lastUsedAt).toISOString(),
          signedInAgo: Math.floor(seconds(clock() - browser.signedInAt)),
          lastUsedAgo: Math.floor(seconds(clock() - browser.lastUsedAt)),
          isHere: sessionUid === here,
          clients,
        };
      }),
    );
    return entries.flat();
  }
}

function forPage(approver: Approver): FormUse {
  return { approver, of: 'devices' };
}

/** What was done just before, as the address says it. */
function said(ctx: RouterContext): { ended?: 'none' | 'one' | 'many'; unreached?: boolean } {
  const { ended, unreached } = ctx.query;
  // Whoever comes by somebody else's link has done nothing.
  if (isForeign(ctx)) return {};
  if (typeof ended !== 'string' || !/^\d{1,3}$/.test(ended)) return {};
  const count = Number(ended);
  return { ended: count === 0 ? 'none' : count === 1 ? 'one' : 'many', unreached: unreached === 'yes' };
}

function inParts<T>(list: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(list.length / AT_ONCE) }, (_, part) =>
    list.slice(part * AT_ONCE, (part + 1) * AT_ONCE),
  );
}
