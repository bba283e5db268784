import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { Codes } from '../../../src/ticket/codes/code.ts';
import { SecretKeys } from '../../../src/ticket/secret-keys.ts';
import { NOW, SECRETS } from '../builders.ts';

const ROTATION_MS = 10_000;
const OLD = 'an old secret of at least thirty-two chars';
const NEW = 'a newer secret of at least thirty-two chars';

function codesWith(...secrets: readonly string[]): Codes {
  return new Codes(new SecretKeys(secrets), ROTATION_MS);
}

/** Returns a ticket id of 18 bytes that look random and are the same in each run. */
function idOf(number: number): string {
  return createHash('sha256').update(`${number}`).digest().subarray(0, 18).toString('base64url');
}

describe('the code in the QR', () => {
  const codes = codesWith(...SECRETS);
  const id = idOf(1);
  const { code, rotatesIn } = codes.show(id, NOW);
  /** The time at which this code was first shown. */
  const start = NOW + rotatesIn - ROTATION_MS;

  it('is 46 characters of base64url that contain the ticket id', () => {
    expect(code).to.match(/^[\w-]{46}$/);
    expect(codes.idOf(code)).to.equal(id);
  });

  it('stays the same for its rotation and changes after it', () => {
    expect(rotatesIn).to.be.within(1, ROTATION_MS);
    expect(codes.show(id, start)).to.deep.equal({ code, rotatesIn: ROTATION_MS });
    expect(codes.show(id, start + ROTATION_MS - 1)).to.deep.equal({ code, rotatesIn: 1 });
    expect(codes.show(id, start + ROTATION_MS).code).not.to.equal(code);
    expect(codes.show(id, start - 1).code).not.to.equal(code);
  });

  it('is valid while it is shown and for two more rotations', () => {
    for (const now of [start, start + ROTATION_MS, start + 2 * ROTATION_MS, start + 3 * ROTATION_MS - 1]) {
      expect(codes.isFresh(code, now), `${now - start}`).to.equal(true);
    }
    expect(codes.isFresh(code, start + 3 * ROTATION_MS)).to.equal(false);
    expect(codes.isFresh(code, start + 1000 * ROTATION_MS)).to.equal(false);
  });

  it('is valid one rotation early, for a clock that is behind, and not earlier', () => {
    expect(codes.isFresh(code, start - ROTATION_MS)).to.equal(true);
    expect(codes.isFresh(code, start - ROTATION_MS - 1)).to.equal(false);
  });

  it('is valid at a given moment if it is one of the four codes around that moment', () => {
    const around = Array.from({ length: 41 }, (_, slot) => codes.show(id, NOW + (slot - 20) * ROTATION_MS).code);
    const good = around.map((other, slot) => (codes.isFresh(other, NOW) ? slot - 20 : undefined));
    expect(good.filter((slot) => slot !== undefined)).to.deep.equal([-2, -1, 0, 1]);
  });

  it('is not valid if any byte is changed', () => {
    for (let byte = 0; byte < 34; byte++) {
      const bytes = Buffer.from(code, 'base64url');
      bytes.writeUInt8(bytes.readUInt8(byte) ^ 1, byte);
      expect(codes.isFresh(bytes.toString('base64url'), NOW), `byte ${byte}`).to.equal(false);
    }
  });

  it('is not valid with the id of another ticket in front of its MAC', () => {
    const mac = Buffer.from(code, 'base64url').subarray(18);
    // The code of the other id rotates at the same moments, so the two codes differ only in the id.
    const other = Buffer.from(id, 'base64url');
    other.writeUInt8(other.readUInt8(13) ^ 1, 13);
    expect(codes.isFresh(Buffer.concat([other, mac]).toString('base64url'), NOW)).to.equal(false);
  });

  it('is not a code if it is shortened or extended', () => {
    for (let length = 0; length < code.length; length++) {
      expect(codes.idOf(code.slice(0, length)), `${length} characters`).to.equal(undefined);
      expect(codes.isFresh(code.slice(0, length), NOW), `${length} characters`).to.equal(false);
    }
    expect(codes.idOf(`${code}A`)).to.equal(undefined);
    expect(codes.idOf(code + code)).to.equal(undefined);
  });

  it('is not a code in any other encoding of the same bytes', () => {
    const bytes = Buffer.concat([Buffer.alloc(18, 0xff), Buffer.alloc(16, 0xfb)]);
    const only = bytes.toString('base64url');
    expect(codes.idOf(only)).to.equal(Buffer.alloc(18, 0xff).toString('base64url'));
    const spareBits = only.slice(0, -1) + String.fromCharCode(only.charCodeAt(only.length - 1) + 1);
    const spellings = [
      bytes.toString('base64'),
      bytes.toString('base64').replaceAll('=', ''),
      bytes.toString('hex'),
      `${only}=`,
      `${only}\n`,
      ` ${only}`,
      `${only.slice(0, 20)}.${only.slice(20)}`,
      spareBits,
    ];
    for (const spelling of spellings) {
      expect(Buffer.from(spelling, spelling.length === 68 ? 'hex' : 'base64url'), spelling).to.deep.equal(bytes);
      expect(codes.idOf(spelling), spelling).to.equal(undefined);
    }
  });

  it('rotates at different moments for different tickets, spread over the whole rotation', () => {
    const tenths = Array.from({ length: 10 }, () => 0);
    for (let number = 0; number < 1000; number++) {
      const tenth = Math.floor((codes.show(idOf(number), NOW).rotatesIn - 1) / (ROTATION_MS / 10));
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    for (const count of tenths) expect(count).to.be.within(60, 140);
  });
});

describe('codes under several secrets', () => {
  const id = idOf(2);

  it('are made with the first secret', () => {
    expect(codesWith(NEW, OLD).show(id, NOW).code).to.equal(codesWith(NEW).show(id, NOW).code);
    expect(codesWith(NEW, OLD).show(id, NOW).code).not.to.equal(codesWith(OLD).show(id, NOW).code);
  });

  it('are valid under each of them, in any order', () => {
    for (const secret of [NEW, OLD]) {
      const { code } = codesWith(secret).show(id, NOW);
      expect(codesWith(NEW, OLD).isFresh(code, NOW)).to.equal(true);
      expect(codesWith(OLD, NEW).isFresh(code, NOW)).to.equal(true);
    }
  });

  it('are not valid under any other secret', () => {
    expect(codesWith(NEW).isFresh(codesWith(OLD).show(id, NOW).code, NOW)).to.equal(false);
  });
});
