/** An audit log for the decisions that apps have signed: `oidc-provider-qr-login/audit`. */
export { AuditLog } from './audit-log.ts';
export { type AuditPage, type AuditPageOptions, readAuditPage } from './audit-page.ts';
export { readAuditLog, type VerifiedLine } from './read-audit-log.ts';
export { isSignedDecision } from './signed-record.ts';
