/**
 * A whole sign-in with the built library, in any runtime: `whole-sign-in.js <issuer> <token> <private JWK> <code>`.
 * Prints each state.
 */
import { memorySigner, Phone } from '../../dist/phone/index.js';

const [issuer, accessToken, jwk, code] = process.argv.slice(2);
const phone = new Phone({ issuer, accessToken, signer: await memorySigner(JSON.parse(jwk)) });
const ticket = await phone.scan(code);
for await (const { state } of ticket.watch()) {
  process.stdout.write(`${state}\n`);
  if (state === 'scanned') await ticket.approve();
}
