import type { PhoneForm } from '../phone/phone-request.ts';
import type { Cookies, SignOutResult } from '../request/cookies.ts';
import { seeOther, wantsJson } from '../request/responses.ts';
import type { Urls } from '../request/urls.ts';

export interface SignOutAnswerPorts {
  readonly urls: Urls;
  readonly cookies: Pick<Cookies, 'noteSignOut'>;
}

/** Answers with the result of a sign-out: as JSON, or by a redirect to the list of browsers, which shows the result. */
export function answerSignOut(form: PhoneForm, { urls, cookies }: SignOutAnswerPorts, result: SignOutResult): void {
  const { ctx, approver } = form;
  if (wantsJson(form)) {
    ctx.body = result;
    return;
  }
  if (approver !== undefined) cookies.noteSignOut(ctx, approver.sessionUid, result);
  seeOther(ctx, urls.devices);
}
