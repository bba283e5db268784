/** An example of an action, with the browser that shows it and the provider that asks for it. */
import type { Context } from 'koa';
import type { Approval, ApprovalRequest } from '../../../src/index.ts';
import { SIGNING_KEY } from '../../fixtures/secrets.ts';
import type { Answer } from '../../support/agent.ts';
import { BrowserPerson, World, type WorldOptions } from '../../support/world.ts';

/** The account ids of the fixture's users. */
export const ALICE = 'a11ce';
export const BOB = 'b0b';
export const PAYMENT = { title: 'Pay €12.50', details: 'To the Lighthouse Shop\nOrder 4711' };

/** Starts a provider whose page at `/pay` asks for an approval in the browser that opens it. */
export async function startWithActions({ qrLogin, ...options }: WorldOptions = {}): Promise<ActionWorld> {
  const requested: Approval[] = [];
  const world = await World.start({
    ...options,
    qrLogin: { actions: { jwks: { keys: [SIGNING_KEY] } }, ...qrLogin },
    extend: ({ provider, qr }) => {
      provider.use(async (ctx: Context, next) => {
        if (ctx.path !== '/pay') return next();
        const approval = await qr.requestApproval({ accountId: ALICE, ...PAYMENT, browser: ctx, ...ctx.query });
        requested.push(approval);
        ctx.redirect(approval.url);
      });
    },
  });
  return { world, requested };
}

export interface ActionWorld {
  readonly world: World;
  readonly requested: readonly Approval[];
}

/** A browser that shows an action. */
export class ActionBrowser extends BrowserPerson {
  /** Opens the deployment's page, which asks for the approval. */
  async pay({ requested }: ActionWorld, query = ''): Promise<Approval> {
    const page = await this.agent.follow(`${this.world.origin}/pay${query}`);
    this.at = page.url.href;
    const approval = requested.at(-1);
    if (page.status !== 200 || approval === undefined) throw new Error(`no action: ${page.status} ${page.text}`);
    return approval;
  }

  /** Opens the page of an action that no browser shows yet, and takes it over. */
  async take(approval: Approval): Promise<Answer> {
    await this.agent.get(approval.url, { headers: { accept: 'text/html' } });
    this.at = approval.url;
    return this.agent.post(approval.url, { form: {}, headers: { accept: 'text/html' } });
  }

  cancel(): Promise<Answer> {
    return this.agent.post(`${this.at}/cancel`, { json: {} });
  }
}

/** Asks for an approval, and opens its page in a browser. */
export async function requestAndShow(
  { world }: Pick<ActionWorld, 'world'>,
  more: Partial<ApprovalRequest> = {},
): Promise<{ readonly approval: Approval; readonly browser: ActionBrowser }> {
  const approval = await world.qr.requestApproval({ accountId: ALICE, ...PAYMENT, ...more });
  const browser = new ActionBrowser(world);
  await browser.take(approval);
  return { approval, browser };
}

/** Asks for an approval that no browser shows yet. */
export function request({ world }: ActionWorld, more: Partial<ApprovalRequest> = {}): Promise<Approval> {
  return world.qr.requestApproval({ accountId: ALICE, ...PAYMENT, ...more });
}

/** The routes below the page of an action, in `src/http/routes.ts`. */
export const ACTION_ROUTES: readonly string[] = [
  'GET /qr/actions/:id',
  'POST /qr/actions/:id',
  'GET /qr/actions/:id/qr',
  'GET /qr/actions/:id/qr/events',
  'POST /qr/actions/:id/qr/renew',
  'POST /qr/actions/:id/qr/finish',
  'POST /qr/actions/:id/cancel',
];

/** The operations that clients call, in `src/http/routes.ts`. */
export const CLIENT_OPERATIONS: readonly string[] = ['POST /qr/actions', 'GET /qr/actions/:id/result'];
