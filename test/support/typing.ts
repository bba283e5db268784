/** The steps of a user who cannot scan: reads the short code on the screen, and types it on the phone. */
import type { Agent, Answer } from './agent.ts';
import type { World, WorldOptions } from './world.ts';

export const shortCodesAllowed: WorldOptions = { qrLogin: { shortCode: true } };

interface Screen {
  ticket(): Promise<Record<string, unknown>>;
}

interface Phone {
  readonly agent: Agent;
  at: string;
}

/** Returns the short code on the screen. @throws Error if the screen shows none */
export async function shortCodeOn(screen: Screen): Promise<string> {
  const { qr } = (await screen.ticket()) as { qr?: { shortCode?: string } };
  if (qr?.shortCode === undefined) throw new Error('there is no short code on the screen');
  return qr.shortCode;
}

/** Types a short code on the phone's page. If the code belongs to a ticket, the phone is then at the ticket's page. */
export async function typeIn(phone: Phone, { issuer }: Pick<World, 'issuer'>, shortCode: string): Promise<Answer> {
  const headers = { accept: 'application/json' };
  const page = await phone.agent.get(`${issuer}/qr/scan`, { headers });
  const csrf = page.status === 200 ? `${page.json().csrf}` : '';
  const answer = await phone.agent.post(`${issuer}/qr/scan`, { headers, json: { shortCode, csrf } });
  if (answer.status === 200) phone.at = new URL(`${answer.json().redirectTo}`, issuer).href;
  return answer;
}

/** Approves the ticket of a typed code. @returns the check code, if there is one */
export async function approveTyped({ agent, at }: Phone): Promise<string | undefined> {
  const headers = { accept: 'application/json' };
  const { csrf } = (await agent.get(at, { headers })).json();
  const { checkCode } = (await agent.post(at, { headers, json: { csrf, decision: 'approve' } })).json();
  return checkCode === undefined ? undefined : `${checkCode}`;
}

/** Returns the CSRF token in a page's form. */
export function csrfIn({ text }: Answer): string {
  return /name="csrf" value="([\w-]+)"/.exec(text)?.[1] ?? '';
}
