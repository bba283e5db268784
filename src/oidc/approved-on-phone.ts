/** The `amr` values of a sign-in by phone: several channels were used, and a user was present (RFC 8176, section 2). */
export const APPROVED_ON_A_PHONE: readonly string[] = ['mca', 'user'];

/** Returns true if a session with these `amr` values was signed in by a phone. */
export function isApprovedOnPhone(amr: readonly string[] = []): boolean {
  return APPROVED_ON_A_PHONE.every((method) => amr.includes(method));
}
