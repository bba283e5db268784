export type { Fetch, GetAccessToken, PhoneOptions, RequestOptions } from './api-client.ts';
export { makeProof, type ProvenRequest } from './dpop-proof.ts';
export { type BrowserEntry, Phone, type RequestEntry, type SignedInBrowser } from './phone.ts';
export {
  type AuthenticationRequirement,
  type ChallengeCode,
  type OwnErrorCode,
  type PhoneAction,
  PhoneError,
  type PhoneErrorDetails,
} from './phone-error.ts';
export {
  generateKeys,
  type MemorySigner,
  memorySigner,
  type PrivateJwk,
  type PublicJwk,
  rawSignature,
  type Signer,
  type SubtleSigning,
  type WebCryptoKeys,
  webCryptoSigner,
} from './signer.ts';
export type { ApproveOptions, Ticket, WatchOptions } from './ticket.ts';
export type { EndReason, NamedText, Place, Requirement, TicketClient, TicketState, TicketView } from './ticket-view.ts';
