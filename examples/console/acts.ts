/** The acts of operators: the forms of the console. */
import type { Context } from 'koa';
import type { AdminAct, BlockedOrigin, QrLogin } from '../../src/index.ts';
import type { Accounts } from '../accounts.ts';

/** The page to which the browser goes after a form, and what the page says. */
export interface FormResult {
  readonly page: '/' | '/account' | '/blocks';
  readonly query: Readonly<Record<string, string>>;
}

type Fields = Readonly<Record<string, string>>;

/** The longest block that the form offers, in hours. */
const LONGEST_BLOCK_HOURS = 720;

/** Signs a browser out, or ends a trust, an app or a passkey. */
export async function actOnAccount({ admin }: QrLogin, ctx: Context, fields: Fields): Promise<FormResult> {
  const { account = '', act = '', id = '' } = fields;
  const by = actOf(ctx);
  const query = { id: account, done: act };
  switch (act) {
    case 'sign-out': {
      const { ended } = await admin.signOut(by, account, id);
      return { page: '/account', query: { ...query, ended: `${ended}` } };
    }
    case 'forget':
      await admin.forgetBrowser(by, account, id);
      return { page: '/account', query };
    case 'end-app':
      await admin.endApp(by, account, id);
      return { page: '/account', query };
    case 'remove-passkey':
      await admin.removePasskey(by, account, id);
      return { page: '/account', query };
    default:
      return { page: '/account', query: { id: account } };
  }
}

/** Adds or lifts a block. */
export async function changeBlock(
  { admin }: QrLogin,
  accounts: Accounts,
  ctx: Context,
  fields: Fields,
): Promise<FormResult> {
  const { act, account = '', kind, target = '', hours } = fields;
  const person = accounts.find(account) ?? accounts.findByName(account);
  const isTarget = target !== '' && target.length <= 200;
  if (person === undefined || !isTarget) return { page: '/blocks', query: { done: 'wrong' } };
  const origin: BlockedOrigin = kind === 'client' ? { clientId: target } : { source: target };
  if (act === 'lift') {
    const isLifted = await admin.lift(actOf(ctx), person.id, origin);
    return { page: '/blocks', query: { done: isLifted ? 'lifted' : 'none' } };
  }
  const lasts = Math.min(LONGEST_BLOCK_HOURS, Math.max(1, Math.floor(Number(hours)) || 1));
  await admin.block(actOf(ctx), person.id, origin, lasts * 3600);
  return { page: '/blocks', query: { done: 'blocked' } };
}

function actOf(ctx: Context): AdminAct {
  return { ctx, operator: ctx.state.visit.accountId };
}
