import type { Context } from 'koa';
import type { FindAccount } from '../../oidc/approver.ts';
import type { EndedSession } from '../../oidc/end-session.ts';
import type { SignedInBrowser } from '../../ticket/browsers/signed-in-browser.ts';
import { notFound, QrLoginError } from '../../ticket/errors.ts';
import type { SecretKeys } from '../../ticket/secret-keys.ts';
import type { SessionApprover } from '../../ticket/ticket.ts';
import type { BrowserPasskeys } from '../hooks/browser-passkeys.ts';
import type { SignIn } from '../hooks/hooks.ts';
import type { KnownBrowserEntry, Pages, RequestEntry } from '../pages/page-data.ts';
import type { PageRenderer } from '../pages/renderer.ts';
import { admit } from '../phone/admission.ts';
import { checkCsrfToken, DEVICES, type FormUse, makeCsrfToken } from '../phone/csrf.ts';
import type { PhoneForm, PhoneRequest } from '../phone/phone-request.ts';
import { sendToSignIn } from '../phone/sign-in-redirect.ts';
import { readDuration } from '../phone/stay.ts';
import type { Cookies, SignOutResult } from '../request/cookies.ts';
import type { RateLimits } from '../request/rate-limits.ts';
import { seeOther, toSeconds, wantsJson } from '../request/responses.ts';
import type { Urls } from '../request/urls.ts';
import type { PendingList } from '../requests/pending-list.ts';
import { type BrowserListPorts, BrowserLists, listedFieldsOf } from './browser-lists.ts';
import { type BrowserNames, readBrowserName } from './browser-names.ts';
import type { BrowserPasskeyList } from './browser-passkey-list.ts';
import { EnrolmentForm, type EnrolmentFormPorts } from './enrolment-form.ts';
import type { SignInRevocation } from './revocation.ts';
import { answerSignOut } from './sign-out-answer.ts';

export interface DeviceListPorts extends BrowserListPorts, Omit<EnrolmentFormPorts, 'settings' | 'enrolments'> {
  readonly enrolments: BrowserListPorts['enrolments'] & EnrolmentFormPorts['enrolments'];
  readonly revocation: Pick<SignInRevocation, 'report' | 'revokePending'>;
  readonly cookies: Pick<Cookies, 'noteSignOut' | 'takeSignOut'>;
  readonly keys: SecretKeys;
  readonly urls: Urls;
  readonly limits: Pick<RateLimits, 'forAccount'>;
  readonly renderer: PageRenderer;
  readonly browserNames: Pick<BrowserNames, 'rename' | 'renameSignedInBy'>;
  readonly browserPasskeyList: BrowserPasskeyList;
  readonly pendingList: PendingList;
  readonly settings: {
    readonly findAccount: FindAccount;
    readonly signIn: SignIn;
    readonly passkeysUrl?: string | undefined;
    readonly browserPasskeys?: BrowserPasskeys | undefined;
  } & BrowserListPorts['settings'];
}

/**
 * The browsers that an account is signed in to, those that it trusts, and the requests that wait for it. The account
 * comes from the phone's session alone.
 */
export class DeviceListHandlers {
  readonly #ports: DeviceListPorts;
  readonly #lists: BrowserLists;
  readonly #enrolment: EnrolmentForm;

  constructor(ports: DeviceListPorts) {
    this.#ports = ports;
    this.#lists = new BrowserLists(ports);
    this.#enrolment = new EnrolmentForm(ports);
  }

  /** `GET /qr/devices`: the lists. */
  list = async (request: PhoneRequest): Promise<void> => {
    const { keys, urls, cookies, renderer, settings, browserPasskeyList } = this.#ports;
    const { ctx, approver, failure } = request;
    failure.again = urls.devices;
    if (approver === undefined) return sendToSignIn(request, settings.signIn, { returnTo: urls.devices, fresh: false });
    const { account } = await admit(this.#ports, request, 'decide');
    const [entries, known, requests, passkeys] = await Promise.all([
      this.#lists.listSignedIn(approver),
      this.#listKnown(approver),
      this.#listRequests(approver),
      settings.browserPasskeys && browserPasskeyList.list(approver.accountId),
    ]);
    const durations = this.#lists.offeredDurations(approver);
    const csrf = makeCsrfToken(keys, formUse(approver));
    const enrol = await this.#enrolment.offer(ctx, approver);
    const more = { ...(durations && { durations }), ...(enrol && { enrol }), ...(passkeys && { passkeys }) };
    const page = { account, csrf, browsers: entries, known, requests, ...more };
    if (wantsJson(request)) ctx.body = page;
    else {
      const result = cookies.takeSignOut(ctx, approver.sessionUid);
      const { passkeysUrl } = settings;
      renderer.render(ctx, 'devices', {
        ...page,
        self: urls.devices,
        scan: urls.scan,
        passkeysUrl,
        ...(result && describeResult(result)),
      });
    }
  };

  /**
   * `POST /qr/devices`: signs out one browser, or all of them; reports a browser that the user did not sign in; names a
   * browser; changes how long it stays signed in; enrols this browser; removes a passkey; or ends the trust in one
   * browser or in all. Signing out all browsers also ends the trust in all. A browser of another account is treated as
   * unknown.
   */
  end = async (form: PhoneForm): Promise<void> => {
    const { keys, urls, cookies } = this.#ports;
    const { ctx, fields, failure } = form;
    failure.again = urls.devices;
    const { approver } = await admit(this.#ports, form, 'decide');
    checkCsrfToken(form, keys, formUse(approver));
    const { end, report, forget, name, duration, browser, enrol, passkey } = fields;
    if (enrol !== undefined) return this.#enrol(form, approver, enrol);
    if (duration !== undefined) return this.#changeStay(form, approver, { id: browser ?? '', duration });
    if (name !== undefined) return this.#rename(form, approver, readBrowserName(name));
    if (forget) return this.#forget(form, approver, forget);
    if (passkey) return this.#removePasskey(form, approver, passkey);
    if (!end && !report)
      throw new QrLoginError(
        'invalid_request',
        '"end" or "forget" is the id of a browser, or "all"; "report" is the id of a browser, "name" a name for it, "duration" how long it stays signed in.',
      );
    const ended = report
      ? await this.#reportThose(ctx, approver, await this.#lists.find(approver, report))
      : await this.#lists.end(ctx, approver, end ?? '');
    // All sessions have ended by now. The wait is for the clients, to count those that could not be notified.
    const unreached = (await Promise.all(ended.map((session) => session.unreached))).flat();
    answerSignOut(form, { urls, cookies }, { ended: ended.length, unreached: new Set(unreached).size });
  };

  /**
   * Signs out browsers that the user did not sign in, and refuses sign-ins from their network addresses for an hour.
   */
  async #reportThose(
    ctx: Context,
    { accountId }: SessionApprover,
    list: readonly SignedInBrowser[],
  ): Promise<EndedSession[]> {
    const { remoteSignOut, revocation } = this.#ports;
    const ended = list.map(async (browser) =>
      browser.signIn === undefined
        ? await remoteSignOut.end(ctx, accountId, browser)
        : await revocation.report(ctx, accountId, browser.signIn),
    );
    return (await Promise.all(ended)).flat().filter((session) => session !== undefined);
  }

  /**
   * Names a browser. `browser` is its id on one of the lists; `ticket` is the id of the ticket by which it was signed
   * in.
   * @throws QrLoginError `not_found`
   */
  async #rename(form: PhoneForm, { accountId }: SessionApprover, label: string | undefined): Promise<void> {
    const { browserNames, urls } = this.#ports;
    const { browser, ticket = '' } = form.fields;
    const isNamed =
      browser === undefined
        ? await browserNames.renameSignedInBy(accountId, ticket, label)
        : await browserNames.rename(accountId, browser, label);
    if (!isNamed) throw notFound();
    if (wantsJson(form)) form.ctx.body = {};
    else seeOther(form.ctx, urls.devices);
  }

  /** Enrols the browser that shows this page. @param key its public key */
  async #enrol(form: PhoneForm, approver: SessionApprover, key: string): Promise<void> {
    const { signature = '' } = form.fields;
    await this.#enrolment.enrol(form.ctx, approver, { key, signature });
    form.ctx.body = {};
  }

  /** Changes how long a browser stays signed in. @throws QrLoginError `not_found` */
  async #changeStay(
    form: PhoneForm,
    approver: SessionApprover,
    { id, duration }: { readonly id: string; readonly duration: string },
  ): Promise<void> {
    const { settings, urls } = this.#ports;
    if (!(await this.#lists.changeStay(approver, id, readDuration(settings.durations, duration)))) throw notFound();
    if (wantsJson(form)) form.ctx.body = {};
    else seeOther(form.ctx, urls.devices);
  }

  async #removePasskey(form: PhoneForm, { accountId }: SessionApprover, id: string): Promise<void> {
    await this.#ports.browserPasskeyList.remove(accountId, id);
    if (wantsJson(form)) form.ctx.body = {};
    else seeOther(form.ctx, this.#ports.urls.devices);
  }

  /**
   * Ends the trust in one browser, or in all, and removes their passkeys: the next sign-in there takes the check code.
   */
  async #forget(form: PhoneForm, { accountId }: SessionApprover, id: string): Promise<void> {
    const { known, enrolments, urls, browserPasskeyList } = this.#ports;
    const ids = id === 'all' ? (await known.list(accountId)).map((browser) => browser.id) : [id];
    await browserPasskeyList.removeOf(accountId, ids);
    await enrolments.forget(form.ctx, accountId, id);
    if (wantsJson(form)) form.ctx.body = {};
    else seeOther(form.ctx, urls.devices);
  }

  /** Returns the requests that wait for the account, each with the form that opens it. */
  async #listRequests(approver: SessionApprover): Promise<RequestEntry[]> {
    const { keys, urls, pendingList } = this.#ports;
    const entries = await pendingList.listFor(approver.accountId);
    return entries.map((entry) => ({
      ...entry,
      url: urls.request(entry.id),
      csrf: makeCsrfToken(keys, { approver, target: entry.id }),
    }));
  }

  /** Returns the browsers that the account trusts, the most recently used first. */
  async #listKnown({ accountId, sessionUid: here }: SessionApprover): Promise<KnownBrowserEntry[]> {
    const { known, clock } = this.#ports;
    const list = [...(await known.list(accountId))].sort((one, other) => other.lastUsedAt - one.lastUsedAt);
    return list.map((browser) => ({
      ...listedFieldsOf(browser, clock()),
      trustedAt: new Date(browser.trustedAt).toISOString(),
      trustedAgo: Math.floor(toSeconds(clock() - browser.trustedAt)),
      ...(browser.enrolledBy !== undefined && { enrolled: true as const }),
      isHere: browser.sessionUid === here,
    }));
  }
}

function formUse(approver: SessionApprover): FormUse {
  return { approver, target: DEVICES };
}

/** Returns the result of the sign-out that led to this page, as data of the page. */
function describeResult({ ended, unreached }: SignOutResult): Pick<Pages['devices'], 'ended' | 'unreached'> {
  return { ended: ended === 0 ? 'none' : ended === 1 ? 'one' : 'many', unreached: unreached > 0 };
}
