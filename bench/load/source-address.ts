/** One address has 28,000 ports: connections are spread over several of the loopback's. */
const ADDRESSES = 32;

export function sourceAddress(connection: number): string {
  return `127.0.0.${2 + (connection % ADDRESSES)}`;
}

/** What a proxy would say of the person with this number: nobody shares an address, and each is one of the public network. */
export function personAddress(person: number): string {
  return `20.${(person >> 16) & 255}.${(person >> 8) & 255}.${person & 255}`;
}
