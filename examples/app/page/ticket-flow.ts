/** Follows a sign-in that this app has scanned: shows each of its states, and carries out what the user decides. */
import { PhoneError, type Ticket, type TicketView } from 'oidc-provider-qr-login/phone';
import { askForPasskey } from '../../../src/client/passkey.ts';
import type { SignInWish } from './account.ts';
import { type Approval, type TicketActs, ticketScreen } from './screens/ticket-screen.ts';
import type { Shell } from './shell.ts';
import type { Texts } from './texts.ts';
import { needsSignIn, textFor } from './trouble.ts';

export interface TicketPorts {
  readonly shell: Shell;
  readonly texts: Texts;
  /** Sends the user to the provider to sign in again. */
  readonly signIn: (wish: SignInWish) => Promise<void>;
  /** Signs out, and sends the user to the provider to sign in with another account. */
  readonly switchAccount: (loginHint: string | undefined) => Promise<void>;
  /** Leaves for the first screen. */
  readonly leave: () => void;
  /** Shows an error that the screen of the ticket cannot help with. */
  readonly fail: (error: unknown, again: () => void) => void;
}

/** After these errors, the ticket itself shows its state and what is needed. */
const SHOWN_BY_TICKET: ReadonlySet<string> = new Set([
  'over',
  'wrong_state',
  'proof_required',
  'insufficient_user_authentication',
]);

export interface FollowedTicket {
  readonly ticket: Ticket;
  /** The address of the ticket in the app. */
  readonly path: string;
  /** The page of the browser on this device that waits for the decision; undefined if the browser is elsewhere. */
  readonly back: string | undefined;
}

export class TicketFlow {
  readonly #ports: TicketPorts;
  readonly #ticket: Ticket;
  readonly #path: string;
  readonly #back: string | undefined;
  readonly #end = new AbortController();
  /** The state on the screen, as JSON, without the parts that change all the time. */
  #shown = '';
  /** True if the browser was signed in when the last screen was shown. */
  #hadFinished = false;

  constructor(ports: TicketPorts, { ticket, path, back }: FollowedTicket) {
    this.#ports = ports;
    this.#ticket = ticket;
    this.#path = path;
    this.#back = back;
  }

  /** Shows the ticket until it is over, or until {@link close}. */
  async run(): Promise<void> {
    const { signal } = this.#end;
    const follow = (): void => {
      // While the app was in the background, its connection may have died without an error.
      if (document.visibilityState === 'visible') this.#ticket.refresh({ signal }).catch(() => undefined);
    };
    document.addEventListener('visibilitychange', follow, { signal });
    await this.#watch(signal);
  }

  /** Ends the flow. The ticket stays as it is. */
  close(): void {
    this.#end.abort();
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const onTrouble = (error: PhoneError): void => this.#say(error);
    try {
      for await (const view of this.#ticket.watch({ signal, onTrouble })) this.#show(view);
    } catch (error) {
      if (signal.aborted) return;
      this.#shown = '';
      this.#ports.fail(error, () => void this.#watch(signal));
    }
  }

  #show(view: TicketView): void {
    if (this.#end.signal.aborted) return;
    const { state, reason, checkCode, requirement, challenge } = view;
    const shown = JSON.stringify([state, reason, checkCode, requirement?.kind, challenge !== undefined]);
    // After an interruption the state may be the same. The screen then stays, with what the user has ticked or typed.
    if (shown === this.#shown) {
      this.#ports.shell.say('');
      return;
    }
    this.#shown = shown;
    // A question has no navigation beside it, so that the user answers before leaving.
    const isAlone = view.state === 'scanned';
    const { shell, texts } = this.#ports;
    shell.show(ticketScreen(view, texts, this.#acts, this.#hadFinished), { tab: 'scan', isAlone });
    this.#hadFinished = state === 'finished';
  }

  readonly #acts: TicketActs = {
    approve: (approval) => this.#decide(() => this.#approve(approval)),
    deny: () => this.#decide(() => this.#ticket.deny()),
    report: () => this.#decide(() => this.#ticket.report()),
    unable: () => this.#decide(() => this.#ticket.unable()),
    signInAgain: () => this.#act(() => this.#signInAgain()),
    switchAccount: () => this.#act(() => this.#ports.switchAccount(this.#ticket.asked.requirement?.loginHint)),
    leave: () => this.#ports.leave(),
  };

  async #approve({ remember, answer, match }: Approval): Promise<TicketView | undefined> {
    const { challenge } = this.#ticket.asked;
    if (challenge === undefined || !('passkey' in challenge)) {
      return this.#ticket.approve({ remember, match, ...(answer !== undefined && { proof: answer }) });
    }
    const proof = await askForPasskey(JSON.stringify(challenge.passkey));
    if (proof !== undefined) return this.#ticket.approve({ remember, match, proof });
    this.#ports.shell.say(this.#ports.texts.t('confirm.passkey.failed'));
    return undefined;
  }

  #signInAgain(): Promise<void> {
    const { requirement } = this.#ticket.asked;
    return this.#ports.signIn({
      returnTo: this.#path,
      ...(requirement?.maxAge !== undefined && { maxAge: requirement.maxAge }),
      ...(requirement?.acrValues !== undefined && { acrValues: requirement.acrValues }),
    });
  }

  /** Runs a decision, and shows the answer. `#watch` then shows the same state again, which changes nothing. */
  #decide(decide: () => Promise<TicketView | undefined>): Promise<void> {
    return this.#act(async () => {
      const view = await decide();
      if (view === undefined) return;
      this.#show(view);
      // The browser is on this device, so the user continues there, and its page fills in the digits.
      if (this.#back !== undefined) location.assign(view.checkCode ? `${this.#back}#${view.checkCode}` : this.#back);
    });
  }

  #act(act: () => Promise<void>): Promise<void> {
    return this.#ports.shell.runAct(async () => {
      try {
        await act();
      } catch (error) {
        await this.#recover(error);
      }
    });
  }

  /**
   * Handles an error. The screen stays, with a message, unless the ticket has changed meanwhile: then its new state is
   * shown.
   */
  async #recover(error: unknown): Promise<void> {
    if (this.#end.signal.aborted) return;
    if (needsSignIn(error)) return this.#ports.fail(error, () => undefined);
    this.#say(error);
    if (!(error instanceof PhoneError) || !SHOWN_BY_TICKET.has(error.code)) return;
    const view = await this.#ticket.refresh().catch(() => undefined);
    if (view === undefined) return;
    this.#show(view);
    // The user can still decide, for example after a wrong answer to a question. `#show` may have cleared the message.
    if (view.state === 'scanned') this.#say(error);
  }

  #say(error: unknown): void {
    this.#ports.shell.say(textFor(error, this.#ports.texts));
  }
}
