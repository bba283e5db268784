import { expect } from 'chai';
import type { ErrorCode } from '../../src/index.ts';
import { type OwnErrorCode, type PhoneAction, PhoneError } from '../../src/phone/index.ts';

/** Maps each error code to its status in the API and to the step that helps. A new code must be added here. */
const ACTIONS: Readonly<Record<ErrorCode | OwnErrorCode, readonly [PhoneAction, status?: number]>> = {
  foreign_code: ['scan'],
  not_a_code: ['scan'],
  network: ['retry'],
  timeout: ['retry'],
  wrong_answer: ['retry', 200],
  aborted: ['stop'],
  invalid_request: ['stop', 400],
  proof_required: ['prove', 400],
  invalid_token: ['sign_in', 401],
  invalid_dpop_proof: ['stop', 401],
  use_dpop_nonce: ['retry', 401],
  insufficient_user_authentication: ['step_up', 401],
  insufficient_scope: ['sign_in', 403],
  account_unavailable: ['stop', 403],
  app_refused: ['stop', 403],
  foreign_origin: ['stop', 403],
  wrong_account: ['sign_in', 403],
  not_enrolled: ['stop', 403],
  not_asked: ['stop', 409],
  wrong_proof: ['prove', 403],
  not_found: ['scan', 404],
  method_not_allowed: ['stop', 405],
  wrong_state: ['stop', 409],
  over: ['scan', 410],
  too_large: ['stop', 413],
  unsupported_media_type: ['stop', 415],
  too_many_requests: ['retry', 429],
  server_error: ['retry', 500],
  store_unavailable: ['retry', 503],
  hook_timeout: ['retry', 503],
  newer_record: ['retry', 503],
  // These codes are for pages. The API does not send them.
  not_signed_in: ['stop', 401],
  sign_in_again: ['stop', 403],
  insufficient_acr: ['stop', 403],
  account_switch: ['stop', 409],
  invalid_csrf: ['stop', 403],
  check_code_required: ['stop', 400],
  wrong_check_code: ['stop', 403],
  no_interaction: ['stop', 404],
};

describe('an error of the library for apps', () => {
  it('has the step that helps for each code', () => {
    const found = Object.entries(ACTIONS).map(([code, [, status]]) => [
      code,
      new PhoneError(code, 'a message', { status }).action,
    ]);
    expect(Object.fromEntries(found)).to.deep.equal(
      Object.fromEntries(Object.entries(ACTIONS).map(([code, [action]]) => [code, action])),
    );
  });

  it('is an Error with a name, a message and a cause', () => {
    const cause = new TypeError('fetch failed');
    const error = new PhoneError('network', 'Try again.', { cause });
    expect(error).to.be.instanceOf(Error).and.include({ name: 'PhoneError', message: 'Try again.', code: 'network' });
    expect(error.cause).to.equal(cause);
    expect(`${error}`).to.equal('PhoneError: Try again.');
  });
});
