import { interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import type { BrowserNote } from './resume/resumed.ts';

/**
 * The prompt that offers a passkey to the browser. A client can request it: `prompt=browser_passkey`. Its result has
 * the same name, by which oidc-provider knows that the prompt is done.
 */
export const BROWSER_PASSKEY = 'browser_passkey';

/**
 * Returns the last prompt of the policy, which comes between the sign-in and the answer to the client.
 * @param isOffered returns true if this browser may be offered a passkey for this account
 */
export function browserPasskeyPrompt(
  isOffered: (ctx: KoaContextWithOIDC, accountId: string) => boolean,
): interactionPolicy.Prompt {
  const offer = new interactionPolicy.Check(
    'browser_passkey_offer',
    'a passkey is offered to the browser that a phone has just signed in',
    (ctx) => {
      const { result } = ctx.oidc;
      // A login result of the deployment's own pages has no `replaces`.
      const login = typeof result?.login?.replaces === 'string' ? result.login : undefined;
      const note = login?.browser as BrowserNote | undefined;
      if (login === undefined || note === undefined || result?.[BROWSER_PASSKEY] !== undefined) return false;
      // A user who does not want to stay signed in may be at a computer that belongs to others.
      if (!note.isTrusted && !note.known) return false;
      return isOffered(ctx, login.accountId);
    },
  );
  return new interactionPolicy.Prompt({ name: BROWSER_PASSKEY, requestable: true }, offer);
}
