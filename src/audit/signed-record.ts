import { isDeepStrictEqual } from 'node:util';
import { calculateJwkThumbprint, importJWK, jwtVerify } from 'jose';
import type { DecisionRecord } from '../http/hooks/app-hooks.ts';
import { APP_ALGORITHMS } from '../oidc/apps/app-challenge.ts';
import { DECISION_TYPE } from '../oidc/apps/signed-decision.ts';
import { traceOf } from '../ticket/ticket-id.ts';

/**
 * Returns true if the app has signed the decision that the record contains: its ticket, decision, `remember`,
 * `duration`, the client's id, browser and time. A record that cannot be verified at all is not signed.
 */
export async function isSignedDecision(record: DecisionRecord): Promise<boolean> {
  try {
    const { ticket, jwk, keyId, decision, remember, duration, client, browser, time, at } = record;
    const { payload } = await jwtVerify(record.signature, ({ alg = '' }) => importJWK(jwk, alg), {
      algorithms: [...APP_ALGORITHMS],
      typ: DECISION_TYPE,
      // Verify the signature as of the time at which the provider received the decision.
      currentDate: new Date(at),
    });
    const said = { decision, remember, duration, client: client.id, browser, time };
    const isSame = Object.entries(said).every(([name, value]) => isDeepStrictEqual(payload[name], value));
    const isOfTicket = typeof payload.ticket === 'string' && traceOf(payload.ticket) === ticket;
    return isSame && isOfTicket && (await calculateJwkThumbprint(jwk)) === keyId;
  } catch {
    return false;
  }
}
