import { PhoneError } from '../../src/phone/index.ts';

/** Returns the error of a call. @throws Error if the call succeeds, or fails with anything but a `PhoneError` */
export async function errorOf(call: Promise<unknown>): Promise<PhoneError> {
  const error = await call.then(
    () => new Error('there is no error'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof PhoneError)) throw error;
  return error;
}
