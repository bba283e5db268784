import { type Duration, longestOf, type Stay, shortestOf } from '../../ticket/browsers/duration.ts';
import { QrLoginError } from '../../ticket/errors.ts';

/** A user's choice as the phone has sent it. A page or an app that knows no durations sends `remember` alone. */
export interface SentStay {
  readonly remember: boolean;
  readonly duration: string | undefined;
}

/**
 * Returns the duration that a phone has sent.
 * @param offered the durations that the deployment offers; undefined if it offers none
 * @throws QrLoginError `invalid_request` if the deployment does not offer the duration that was sent
 */
export function readDuration(offered: readonly Duration[] | undefined, sent: string): Duration {
  if (offered === undefined)
    throw new QrLoginError(
      'invalid_request',
      'This provider offers no durations: leave "duration" out, and send "remember".',
    );
  const duration = offered.find((one) => one === sent);
  if (duration === undefined)
    throw new QrLoginError('invalid_request', `"duration" is one of these: ${offered.join(', ')}.`);
  return duration;
}

/**
 * Returns how long the user stays signed in. If the phone sent no duration, `remember: true` stands for the longest one
 * that is offered, and `remember: false` for the shortest.
 * @throws QrLoginError `invalid_request`
 */
export function readStay(offered: readonly Duration[] | undefined, { remember, duration: sent }: SentStay): Stay {
  const implied = offered && (remember ? longestOf(offered) : shortestOf(offered));
  const duration = sent === undefined ? implied : readDuration(offered, sent);
  return duration === undefined ? { remember } : { remember: duration !== 'session', duration };
}
