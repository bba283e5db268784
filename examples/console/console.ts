/** The operator's console: an ordinary RP of the provider that calls `qr.admin`. */
import { Readable } from 'node:stream';
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import * as client from 'openid-client';
import { readAuditLog, readAuditPage } from '../../src/audit/index.ts';
import type { DecisionRecord, QrLogin } from '../../src/index.ts';
import type { Accounts } from '../accounts.ts';
import { requireOwnPage } from '../own-page.ts';
import { actOnAccount, changeBlock, type FormResult } from './acts.ts';
import { consoleUrl } from './client.ts';
import { FILES, pageOf, renderPage } from './pages.ts';
import { ConsoleSignIn, type SignInPorts } from './sign-in.ts';

export interface ConsolePorts extends SignInPorts {
  readonly qr: QrLogin;
  readonly accounts: Accounts;
  /** The file of the decisions that apps have signed; undefined if there is none. */
  readonly auditLog: string | undefined;
}

const PATH = '/console';
/** The numbers of entries on a page. */
const ROWS = 20;
const AUDIT_ROWS = 50;

/** Serves the console below `/console`. Use it after `qr.attach(provider)`, so that a failure of the store is a 503. */
export function operatorConsole(ports: ConsolePorts): Middleware {
  const { provider, qr, accounts, auditLog } = ports;
  const base = new URL(consoleUrl(provider.issuer)).pathname;
  const signIn = new ConsoleSignIn(ports);

  const show = (ctx: Context, name: string, page: Readonly<Record<string, unknown>> = {}): void =>
    renderPage(ctx, name, { base, visit: ctx.state.visit, here: name, done: ctx.query.done, ...page });
  const refuse = (ctx: Context, page: Readonly<Record<string, unknown>>): void => {
    ctx.status = 403;
    show(ctx, 'refused', page);
  };

  /** Lets operators pass who have authenticated in this browser a short time ago. */
  const requireOperator: Middleware = async (ctx, next) => {
    const visit = await signIn.find(ctx);
    if (visit?.isOperator) {
      ctx.state.visit = visit;
      return next();
    }
    if (visit !== undefined) return refuse(ctx, { accountId: visit.accountId });
    const to = ctx.method === 'GET' ? ctx.url.slice(PATH.length) : '/';
    ctx.status = 303;
    return ctx.redirect(`${base}/login?${new URLSearchParams({ to })}`);
  };

  /** Handles a form of a page of this visit, and goes back to the page. */
  const form =
    (act: (fields: Readonly<Record<string, string>>, ctx: Context) => Promise<FormResult>): Middleware =>
    async (ctx) => {
      const fields = await signIn.readForm(ctx, ctx.state.visit);
      if (fields === undefined) return refuse(ctx, { isForeignForm: true });
      const { page, query } = await act(fields, ctx);
      ctx.status = 303;
      return ctx.redirect(`${base}${page}?${new URLSearchParams(query)}`);
    };

  const router = new Router({ prefix: PATH }).use(requireOwnPage(provider));
  for (const [path, { type, content }] of Object.entries(FILES)) {
    router.get(path, (ctx) => {
      ctx.type = type;
      ctx.set('X-Content-Type-Options', 'nosniff');
      ctx.body = content;
    });
  }
  router
    .get('/login', (ctx) => signIn.begin(ctx, String(ctx.query.to ?? '/'), ctx.query.other === 'yes'))
    .get('/callback', async (ctx) => {
      try {
        const to = await signIn.complete(ctx);
        return ctx.redirect(`${base}${to ?? '/'}`);
      } catch (error) {
        if (!isAnswer(error)) throw error;
        return refuse(ctx, { error });
      }
    })
    .use(requireOperator)
    .get('/', async (ctx) => {
      const { tickets, ...counts } = await qr.admin.activity();
      show(ctx, 'overview', { ...counts, tickets: pageOf(tickets, ctx.query.page, ROWS) });
    })
    .get('/counts', async (ctx) => {
      const { live, connected, processes } = await qr.admin.activity();
      ctx.set('Cache-Control', 'no-store');
      ctx.body = { ...live, connected, processes };
    })
    .get('/account', async (ctx) => {
      const asked = String(ctx.query.id ?? '').trim();
      if (asked === '') return show(ctx, 'account');
      const person = accounts.find(asked) ?? accounts.findByName(asked);
      if (person === undefined) {
        ctx.status = 404;
        return show(ctx, 'account', { asked });
      }
      const { browsers, trusted, apps, passkeys } = await qr.admin.account(person.id);
      const { page } = ctx.query;
      const lists = { browsers: pageOf(browsers, page, ROWS), trusted: pageOf(trusted, page, ROWS) };
      return show(ctx, 'account', { asked, person, ...lists, apps, passkeys });
    })
    .post(
      '/account',
      form((fields, ctx) => actOnAccount(qr, ctx, fields)),
    )
    .get('/blocks', async (ctx) => {
      const blocks = await qr.admin.blocks();
      show(ctx, 'blocks', { blocks: pageOf(blocks, ctx.query.page, ROWS), now: Date.now() });
    })
    .post(
      '/blocks',
      form((fields, ctx) => changeBlock(qr, accounts, ctx, fields)),
    )
    .get('/audit', async (ctx) => {
      const before = Number(ctx.query.before) || undefined;
      const options = { limit: AUDIT_ROWS, ...(before !== undefined && { before }) };
      show(ctx, 'audit', { ...(auditLog !== undefined && (await readAuditPage(auditLog, options))) });
    })
    .get('/export', (ctx) => {
      ctx.attachment('qr-login.jsonl');
      ctx.type = 'application/x-ndjson';
      ctx.set({ 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' });
      const decisions = auditLog === undefined ? [] : decisionsIn(auditLog);
      ctx.body = Readable.from(qr.admin.exportLines({ accounts: accounts.ids(), decisions }));
    })
    .post(
      '/leave',
      form(async (_fields, ctx) => {
        await signIn.leave(ctx);
        return { page: '/', query: {} };
      }),
    );
  return router.routes() as unknown as Middleware;
}

/** Returns true for an error of the sign-in that the user can understand, such as a sign-in that was cancelled. */
function isAnswer(error: unknown): boolean {
  const { AuthorizationResponseError, ClientError, ResponseBodyError } = client;
  return [AuthorizationResponseError, ClientError, ResponseBodyError].some((kind) => error instanceof kind);
}

async function* decisionsIn(auditLog: string): AsyncGenerator<DecisionRecord, void> {
  for await (const { record } of readAuditLog(auditLog)) if (record !== undefined) yield record;
}
