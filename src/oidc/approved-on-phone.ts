/** More than one channel was used, and a person was there (RFC 8176, section 2): how a sign-in by phone is known. */
export const APPROVED_ON_A_PHONE: readonly string[] = ['mca', 'user'];
