/** An RP's endpoint for logout tokens, and the configuration of a provider that may send to loopback addresses. */
import { decodeJwt, type JWTPayload } from 'jose';
import Koa from 'koa';
import type { ClientMetadata, Configuration } from 'oidc-provider';
import { type RunningServer, serve } from './server.ts';

export class LogoutInbox {
  readonly received: JWTPayload[] = [];
  /** Returns the status to answer with. If it never resolves, the RP never answers. */
  answer: () => Promise<number> = async () => 200;
  readonly #running: RunningServer;

  private constructor(running: RunningServer) {
    this.#running = running;
  }

  static async open(): Promise<LogoutInbox> {
    let inbox: LogoutInbox | undefined;
    const app = new Koa().use(async (ctx) => {
      const chunks: Buffer[] = [];
      for await (const chunk of ctx.req) chunks.push(chunk);
      const token = new URLSearchParams(Buffer.concat(chunks).toString()).get('logout_token') ?? '';
      inbox?.received.push(decodeJwt(token));
      ctx.status = (await inbox?.answer()) ?? 500;
    });
    inbox = new LogoutInbox(await serve(() => ({ app })));
    return inbox;
  }

  get metadata(): Partial<ClientMetadata> {
    return {
      backchannel_logout_uri: `${this.#running.origin}/backchannel-logout`,
      backchannel_logout_session_required: true,
    };
  }

  close(): Promise<void> {
    return this.#running.stop();
  }
}

/** A configuration without oidc-provider's guard against loopback addresses, and without its time-out. */
export const REACHES_THIS_MACHINE: Configuration = {
  fetch: (url, { method, headers, body } = {}) =>
    fetch(url, { ...(method && { method }), ...(headers && { headers }), ...(body && { body }) }),
};
