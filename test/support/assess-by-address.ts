import type { Assess } from '../../src/index.ts';

/**
 * Requires no check code if browser and phone share an address. Tests use it to see which addresses the server trusts.
 */
export const assessByAddress: Assess = ({ browser, phone }) =>
  browser.address !== undefined && browser.address === phone.address ? 'allow' : 'check code';
