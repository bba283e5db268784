/**
 * Prints a DPoP proof (RFC 9449, section 4.2), for requests by curl:
 *
 *     node examples/app/proof.js POST http://localhost:3000/qr/api/scans
 *
 * The environment has `KEY`, a file with the private key as a JWK, which is made if it does not exist; `TOKEN`, the
 * access token, unless the request is for tokens; and `NONCE`, if the server has given one.
 */
import { createHash, createPrivateKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const { KEY = 'key.json', TOKEN, NONCE } = process.env;
const [method, url] = process.argv.slice(2);
if (method === undefined || url === undefined) {
  process.stderr.write('Usage: node proof.js <method> <url>\n');
  process.exit(2);
}

if (!existsSync(KEY)) {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(KEY, JSON.stringify(privateKey.export({ format: 'jwk' })), { mode: 0o600 });
}
const jwk = JSON.parse(readFileSync(KEY, 'utf8'));
const { kty, crv, x, y } = jwk;

const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: { kty, crv, x, y } };
const payload = {
  jti: randomUUID(),
  htm: method,
  htu: url.replace(/[?#].*/, ''),
  iat: Math.floor(Date.now() / 1000),
  ...(TOKEN && { ath: createHash('sha256').update(TOKEN).digest('base64url') }),
  ...(NONCE && { nonce: NONCE }),
};
const signed = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
const key = createPrivateKey({ key: jwk, format: 'jwk' });
// A JWS has the two numbers of the signature side by side, not in DER (RFC 7518, section 3.4).
const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
process.stdout.write(`${signed}.${signature.toString('base64url')}\n`);
