import { QrLoginError } from '../../ticket/errors.ts';

/**
 * Returns the version of the ticket that a client knows; undefined if its request names no version.
 * @param name the name of the parameter, for the message
 * @throws QrLoginError `invalid_request`
 */
export function parseVersion(name: string, given: string | string[] | undefined): number | undefined {
  if (given === undefined) return undefined;
  if (typeof given === 'string' && /^\d{1,9}$/.test(given)) return Number(given);
  throw new QrLoginError('invalid_request', `"${name}" is the version of the ticket that you know: a whole number.`);
}
