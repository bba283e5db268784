/** The number of loopback addresses that connections are spread over, because one address has only 28,000 ports. */
const ADDRESSES = 32;

export function sourceAddress(connection: number): string {
  return `127.0.0.${2 + (connection % ADDRESSES)}`;
}

/**
 * Returns the address that a proxy would report for the user with this number. Each user has a different one, and all
 * are public addresses.
 */
export function personAddress(person: number): string {
  return `20.${(person >> 16) & 255}.${(person >> 8) & 255}.${person & 255}`;
}
