import type { Context } from 'koa';
import { QrLoginError } from '../../ticket/errors.ts';
import type { PhoneSignIn, SignIn } from '../hooks/hooks.ts';
import { seeOther, wantsJson } from '../request/responses.ts';

/** Sends a phone without a session to sign in and back. @throws QrLoginError `not_signed_in` for a script, or where there is no way */
export async function sendToSignIn(ctx: Context, signIn: SignIn, wanted: PhoneSignIn): Promise<void> {
  const url = wantsJson(ctx) ? undefined : await signIn(ctx, wanted);
  if (url === undefined) throw notSignedIn();
  seeOther(ctx, url);
}

export function notSignedIn(): QrLoginError {
  return new QrLoginError('not_signed_in', 'Sign in on this phone first, then scan the code.');
}
