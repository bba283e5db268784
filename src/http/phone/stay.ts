import { type Duration, longestOf, type Stay, shortestOf } from '../../ticket/browsers/duration.ts';
import { QrLoginError } from '../../ticket/errors.ts';

/** A user's choice as the phone has sent it. A page or an app that knows no durations sends `remember` alone. */
export interface SentStay {
  readonly remember: boolean;
  readonly duration: string | undefined;
}

/**
 * Returns the duration that a phone has sent.
 * @param offered the durations that the deployment offers, if it does
 * @throws QrLoginError `invalid_request` if it is none of them
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
 * Returns how long the user stays signed in. Without a duration, `remember` stands for the longest one that is offered,
 * and its absence for the shortest.
 * @throws QrLoginError `invalid_request`
 */
export function readStay(offered: readonly Duration[] | undefined, { remember, duration: sent }: SentStay): Stay {
  const implied = offered && (remember ? longestOf(offered) : shortestOf(offered));
  const duration = sent === undefined ? implied : readDuration(offered, sent);
  return duration === undefined ? { remember } : { remember: duration !== 'session', duration };
}
