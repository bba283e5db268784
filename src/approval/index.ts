/** Verifies the signed results of actions, in the service that acts on them: `oidc-provider-qr-login/approval`. */
export { ApprovalRefused, type ReadApprovalOptions, readApproval, type VerifiedApproval } from './read-approval.ts';
