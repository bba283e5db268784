import type { IncomingMessage, ServerResponse } from 'node:http';
import { describeRequester, isOwnUrl } from '../../oidc/actions/requester.ts';
import type { Provider } from '../../oidc/provider.ts';
import { type ActionActs, type ActionTicket, RESULT_KEPT_MS } from '../../ticket/actions.ts';
import { type BrowserKey, thumbprintOf } from '../../ticket/browsers/browser-key.ts';
import type { Codes } from '../../ticket/codes/code.ts';
import { QrLoginError } from '../../ticket/errors.ts';
import type { Clock } from '../../ticket/ports.ts';
import {
  type Action,
  type Browser,
  hasBrowser,
  type Requirements,
  type SignInRequest,
  type Ticket,
} from '../../ticket/ticket.ts';
import { traceOf } from '../../ticket/ticket-id.ts';
import type { Announce } from '../events/ticket-events.ts';
import type { Cookies } from '../request/cookies.ts';
import { type DeviceDescriber, describeBrowser } from '../request/device.ts';
import type { Urls } from '../request/urls.ts';
import type { ActionResults, ApprovalResult } from './action-results.ts';
import { findTextFault } from './action-texts.ts';

/** An action that a deployment asks its user to approve on the phone. */
export interface ApprovalRequest {
  /** The only account that may approve. To another account, the code looks unknown. */
  readonly accountId: string;
  /** The line that says what is approved, 1 to 80 characters: "Add a passkey". The phone shows it as text. */
  readonly title: string;
  /**
   * The details, at most 10 lines of 120 characters, which the phone shows as text.
   * @default ''
   */
  readonly details?: string;
  /**
   * The time for the decision and its confirmation, in seconds (10 to 3,600).
   * @default 300
   */
  readonly expiresIn?: number;
  /**
   * The `client_id` of the client that asks: the phone shows its name and its verified host.
   * @default the provider itself asks
   */
  readonly client?: string;
  /**
   * The request and the response of the browser that shows the code: Koa's `ctx`, or `{ req, res }`. The response gets
   * a cookie; only this browser can open `url`.
   * @default the first browser that opens `url`
   */
  readonly browser?: { readonly req: IncomingMessage; readonly res: ServerResponse };
  /** A value of yours that is not shown, and that the result repeats: 1 to 256 characters of printable ASCII. */
  readonly reference?: string;
  /**
   * The URL, or the path of yours, to which the browser goes back at the end.
   * @default the page stays, and says how the action has ended
   */
  readonly returnTo?: string;
  /**
   * The `aud` of the signed result.
   * @default the client, or the issuer if the provider itself asks
   */
  readonly audience?: string;
  /** The preferred languages, the best one first. @default those of the browser and of the phone */
  readonly locales?: readonly string[];
}

/** A browser that asks an account to enrol it. */
export interface EnrolmentRequest
  extends Required<Pick<ApprovalRequest, 'title' | 'details' | 'returnTo' | 'locales'>> {
  /** The browser that shows the code, and that is enrolled. */
  readonly browser: NonNullable<ApprovalRequest['browser']>;
  /** The key of that browser. */
  readonly key: BrowserKey;
}

/** An action that waits for its approval, or that has ended. */
export interface Approval {
  /**
   * The id, with which any process finds the action: `findApproval(id)`. Keep the id from other users, because it opens
   * the page.
   */
  readonly id: string;
  /** The page that shows the code. */
  readonly url: string;
  /** The address in the present code, which changes every ten seconds, for a page of your own that draws it. */
  readonly code: string;
  /** The name of its ticket, which the events of the action have in `ticket`. */
  readonly ticket: string;
  /**
   * Resolves when the action has ended, in any process. Trouble with the store delays it. It never rejects: if the
   * process stops meanwhile (`close()`), the outcome is `unknown`.
   */
  readonly result: Promise<ApprovalResult>;
  /** Takes the action back. If it has ended already, it stays as it is. */
  cancel(): Promise<void>;
}

/** The description of an action, from the deployment or from a client. */
export interface ActionDraft {
  readonly client: SignInRequest['client'];
  readonly requirements: Pick<Requirements, 'accountId' | 'subject'>;
  readonly action: Omit<Action, 'expiresAt'>;
  /** Seconds. */
  readonly expiresIn: number;
  readonly locales: readonly string[];
}

export interface ActionRequestsPorts {
  readonly provider: Provider;
  readonly ceremony: { readonly actions: ActionActs };
  readonly actionResults: ActionResults;
  readonly announce: Announce;
  /** Makes this process announce the expiry of a ticket that no browser shows yet. */
  readonly watchExpiry: (ticket: Ticket) => void;
  readonly codes: Pick<Codes, 'show'>;
  readonly cookies: Cookies;
  readonly devices: DeviceDescriber;
  readonly urls: Urls;
  readonly clock: Clock;
  /** The name by which users know the provider. */
  readonly providerName: string;
}

const SHORTEST_S = 10;
const LONGEST_S = 3_600;
export const USUAL_S = 300;
const MAX_URL = 2_000;

/** Requests approvals of actions. */
export class ActionRequests {
  readonly #ports: ActionRequestsPorts;

  constructor(ports: ActionRequestsPorts) {
    this.#ports = ports;
  }

  /**
   * Requests an approval for the deployment itself.
   * @throws TypeError if a value is wrong; QrLoginError `store_unavailable`
   */
  async request(given: ApprovalRequest): Promise<Approval> {
    const { accountId, title, details = '', expiresIn = USUAL_S, browser, locales = [] } = given;
    const { reference, returnTo, audience } = given;
    const { provider } = this.#ports;
    if (typeof accountId !== 'string' || accountId === '')
      throw new TypeError('requestApproval: "accountId" must be the id of an account');
    const draft = {
      client: await this.#findClient(given.client),
      requirements: { accountId },
      action: {
        title,
        details,
        ...(reference !== undefined && { reference }),
        ...(returnTo !== undefined && { returnTo: normalizeUrl(returnTo, provider.issuer) }),
        ...(audience !== undefined && { audience }),
      },
      expiresIn,
      locales,
    };
    const fault = findFault(draft);
    if (fault !== undefined) throw new TypeError(`requestApproval: ${fault}`);
    const id = this.#ports.ceremony.actions.newId();
    return this.#makeApproval(await this.create(id, draft, browser && (await this.#bind(id, browser, draft))));
  }

  /**
   * Requests the enrolment of a browser. The browser is not signed in, so the account is that of the phone that scans
   * the code. The reference is the key's thumbprint (RFC 7638).
   */
  async requestEnrolment({ title, details, returnTo, locales, browser, key }: EnrolmentRequest): Promise<ActionTicket> {
    const { provider, ceremony } = this.#ports;
    const draft = {
      client: await this.#findClient(undefined),
      requirements: {},
      action: {
        title,
        details,
        reference: thumbprintOf(key),
        enrols: key,
        returnTo: normalizeUrl(returnTo, provider.issuer),
      },
      expiresIn: USUAL_S,
      locales,
    };
    const id = ceremony.actions.newId();
    return this.create(id, draft, await this.#bind(id, browser, draft));
  }

  /**
   * Creates the ticket of an action.
   * @param shownIn the browser that shows it; none if it is left out
   * @throws QrLoginError `invalid_request` if a value is wrong
   */
  async create(id: string, draft: ActionDraft, shownIn: Browser = NO_BROWSER): Promise<ActionTicket> {
    const fault = findFault(draft);
    if (fault !== undefined) throw new QrLoginError('invalid_request', `${fault}.`);
    const { client, requirements, action, expiresIn, locales } = draft;
    const request = { client, requirements, action, locales, scopes: [] };
    const { ceremony, announce, watchExpiry } = this.#ports;
    const ticket = await ceremony.actions.request(id, { request, browser: shownIn, lasts: expiresIn * 1000 });
    if (hasBrowser(ticket)) announce(undefined, 'qr_login.shown', ticket);
    else watchExpiry(ticket);
    return ticket;
  }

  /** Returns an action, whichever process has requested it; undefined if there is none (any more). */
  async find(id: string): Promise<Approval | undefined> {
    const ticket = await this.#ports.ceremony.actions.look(id);
    return ticket && this.#makeApproval(ticket);
  }

  /**
   * Checks the URL to which a client wants to send the browser at the end, and returns it in normal form.
   * @throws QrLoginError `invalid_request` if it is on no site of the client
   */
  async readReturnTo(clientId: string, given: string): Promise<string> {
    const url = URL.canParse(given) ? normalizeUrl(given, given) : '';
    if (url !== '' && (await isOwnUrl(this.#ports.provider, clientId, url))) return url;
    throw new QrLoginError('invalid_request', '"return_to" must be on a site of a redirect URI of this client.');
  }

  #makeApproval({ id: ticketId, interaction: id }: ActionTicket): Approval {
    const { ceremony, actionResults, announce, codes, urls, clock } = this.#ports;
    let result: Promise<ApprovalResult> | undefined;
    return {
      id,
      url: urls.absolute(urls.action(id)),
      ticket: traceOf(ticketId),
      get code() {
        return urls.absolute(urls.landing(codes.show(ticketId, clock()).code));
      },
      get result() {
        result ??= actionResults.whenEnded(id);
        return result;
      },
      cancel: async () => {
        const outcome = await ceremony.actions.cancel(id);
        if (outcome?.changed) announce(undefined, 'qr_login.cancelled', outcome.ticket);
      },
    };
  }

  /** Gives the browser the cookie that opens the page of the action. */
  async #bind(
    id: string,
    { req, res }: NonNullable<ApprovalRequest['browser']>,
    { expiresIn }: ActionDraft,
  ): Promise<Browser> {
    const { provider, cookies } = this.#ports;
    // The provider's own context, because only its cookies are signed with the provider's keys.
    const ctx = provider.createContext(req, res);
    return describeBrowser(this.#ports, ctx, cookies.bindAction(ctx, id, expiresIn * 1000 + RESULT_KEPT_MS));
  }

  async #findClient(clientId: string | undefined): Promise<SignInRequest['client']> {
    const { provider, providerName } = this.#ports;
    if (clientId === undefined) return { id: '', name: providerName, host: new URL(provider.issuer).host };
    const client = await describeRequester(provider, clientId);
    if (client === undefined) throw new TypeError(`requestApproval: the client ${clientId} is not registered`);
    return client;
  }
}

const NO_BROWSER: Browser = { binding: '', source: '' };

/** Returns what is wrong with an action, in the words of a message; undefined if it is right. */
function findFault({ action, expiresIn, locales }: ActionDraft): string | undefined {
  const { title, details, reference, returnTo, audience } = action;
  const texts: unknown[] = [title, details, reference ?? '', audience ?? '', ...locales];
  const isText = texts.every((text) => typeof text === 'string');
  if (!isText || !Array.isArray(locales)) return 'the texts of an action must be strings, and "locales" a list of them';
  if (!(Number.isInteger(expiresIn) && expiresIn >= SHORTEST_S && expiresIn <= LONGEST_S))
    return `the time for the decision must be a whole number of seconds from ${SHORTEST_S} to ${LONGEST_S}`;
  if (returnTo === '')
    return `"returnTo" must be a path of yours, or an http(s) address, of at most ${MAX_URL} characters`;
  if (audience === '') return '"audience" must not be empty';
  return findTextFault(action);
}

/** Characters that a URL parser drops or reads as a slash, so that a text seems to lead elsewhere than it does. */
const MISLEADING = /[\s\\\p{Cc}]/u;

/** Returns the whole URL; '' if a browser must not be led to it. */
function normalizeUrl(given: unknown, base: string): string {
  if (
    typeof given !== 'string' ||
    given === '' ||
    given.length > MAX_URL ||
    MISLEADING.test(given) ||
    given.startsWith('//')
  )
    return '';
  if (!URL.canParse(given, base)) return '';
  const { protocol, username, password, href } = new URL(given, base);
  return /^https?:$/.test(protocol) && username === '' && password === '' ? href : '';
}
