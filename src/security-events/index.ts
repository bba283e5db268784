/** Sends the plugin's events as signed security event tokens: `oidc-provider-qr-login/security-events`. */
export type { PollAnswer } from './poll.ts';
export type { LostSet, Receiver } from './receiver.ts';
export { type PasskeyKind, type SecurityEventOptions, type SecurityEvents, securityEvents } from './security-events.ts';
