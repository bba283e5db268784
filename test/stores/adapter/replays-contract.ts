/**
 * The contract for replays: a DPoP proof counts once, and a grant ends if one of its records is used twice at the same
 * time.
 */
import { expect } from 'chai';
import { errors } from 'oidc-provider';
import { sizeOfSuite } from '../../support/full-suite.ts';
import type { AdapterBackend, TwoNodes } from './backends.ts';
import { type ModelChoice, OF_A_GRANT, OF_EACH_MODEL, USED_ONCE_OF_A_GRANT } from './payloads.ts';

const AT_ONCE = 50;
const ROUNDS = sizeOfSuite({ short: 3, full: 30 });
const PROOF = { kind: 'ReplayDetection', jti: 'proof', iss: 'rp' };

export function testReplays(backend: () => AdapterBackend, choose: ModelChoice): void {
  describe('when a proof is used again,', () => {
    let nodes: TwoNodes;

    beforeEach(() => {
      nodes = backend().open();
    });

    /** Looks a DPoP proof up from both nodes at the same time. @returns the number of calls that did not know it */
    async function race(id: string): Promise<number> {
      const lookups = Array.from({ length: AT_ONCE }, (_, turn) =>
        (turn % 2 === 0 ? nodes.one : nodes.other)('ReplayDetection').find(id),
      );
      return (await Promise.all(lookups)).filter((found) => found === undefined).length;
    }

    it(`lets one of ${AT_ONCE} concurrent lookups find nothing, in each of ${ROUNDS} rounds`, async () => {
      for (let round = 0; round < ROUNDS; round++) expect(await race(`proof ${round}`), `round ${round}`).to.equal(1);
    });

    it('knows the proof after the first lookup, even if it is never saved', async () => {
      expect(await nodes.one('ReplayDetection').find('proof')).to.equal(undefined);
      expect(await nodes.other('ReplayDetection').find('proof')).to.be.an('object');
      expect(await race('proof')).to.equal(0);
    });

    it('knows the proof after it was saved, and returns its record without an expiry time', async () => {
      await nodes.one('ReplayDetection').find('proof');
      await nodes.one('ReplayDetection').upsert('proof', { ...PROOF, exp: 1 }, 60);
      expect(await nodes.other('ReplayDetection').find('proof')).to.deep.equal({ kind: PROOF.kind, jti: 'proof' });
    });

    it('does not know the proof after it was destroyed, and keeps different proofs apart', async () => {
      expect(await nodes.one('ReplayDetection').find('proof')).to.equal(undefined);
      expect(await nodes.one('ReplayDetection').find('other')).to.equal(undefined);
      await nodes.other('ReplayDetection').destroy('proof');
      expect(await race('proof')).to.equal(1);
      expect(await race('other')).to.equal(0);
    });
  });

  describe('when a record is used twice at the same time,', () => {
    let nodes: TwoNodes;

    beforeEach(() => {
      nodes = backend().open();
    });

    const grant = OF_EACH_MODEL.Grant ?? {};

    async function expectNothing(): Promise<void> {
      for (const model of Object.keys(OF_A_GRANT)) {
        expect(await nodes.one(model).find('id'), model).to.equal(undefined);
      }
      expect(await nodes.other('Grant').find('grant')).to.equal(undefined);
    }

    for (const model of choose(USED_ONCE_OF_A_GRANT)) {
      it(`ends the grant of a ${model}, and deletes records that are written to it later`, async () => {
        await nodes.one('Grant').upsert('grant', grant, 60);
        for (const [each, payload] of Object.entries(OF_A_GRANT)) await nodes.one(each).upsert('id', payload, 60);
        await nodes.one(model).consume('id');
        const refused = await nodes
          .other(model)
          .consume('id')
          .catch((reason: unknown) => reason);
        expect(refused).to.be.instanceOf(errors.InvalidGrant);
        await expectNothing();
        for (const [each, payload] of Object.entries(OF_A_GRANT)) await nodes.one(each).upsert('id', payload, 60);
        await expectNothing();
      });
    }

    it('leaves none of the tokens that the winner writes at that moment', async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const grantId = `grant ${round}`;
        const id = `${round}`;
        await nodes.one('Grant').upsert(grantId, grant, 60);
        await nodes.one('AuthorizationCode').upsert(id, { jti: id, grantId }, 60);
        const exchanges = [nodes.one, nodes.other, nodes.one].map(async (node) => {
          await node('AuthorizationCode').consume(id);
          await node('AccessToken').upsert(id, { jti: id, grantId }, 60);
          await node('RefreshToken').upsert(id, { jti: id, grantId }, 60);
        });
        const outcomes = await Promise.allSettled(exchanges);
        expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
        for (const model of ['AuthorizationCode', 'AccessToken', 'RefreshToken']) {
          expect(await nodes.other(model).find(id), `${model} in round ${round}`).to.equal(undefined);
        }
        expect(await nodes.other('Grant').find(grantId)).to.equal(undefined);
      }
    });

    it('does not change other grants', async () => {
      await nodes.one('Grant').upsert('other', grant, 60);
      await nodes.one('AccessToken').upsert('other', { jti: 'other', grantId: 'other' }, 60);
      await nodes.one('RefreshToken').upsert('id', { jti: 'id', grantId: 'grant' }, 60);
      await nodes.one('RefreshToken').consume('id');
      await nodes
        .one('RefreshToken')
        .consume('id')
        .catch(() => undefined);
      expect(await nodes.other('AccessToken').find('other')).to.be.an('object');
      expect(await nodes.other('Grant').find('other')).to.be.an('object');
    });
  });

  describe('when a grant is destroyed,', () => {
    it('deletes its records, including records that are written later', async () => {
      const nodes = backend().open();
      await nodes.one('AccessToken').upsert('early', { jti: 'early', grantId: 'grant' }, 60);
      await nodes.other('Grant').destroy('grant');
      await nodes.one('AccessToken').upsert('late', { jti: 'late', grantId: 'grant' });
      await nodes.one('AccessToken').revokeByGrantId('grant');
      await nodes.one('AccessToken').upsert('later', { jti: 'later', grantId: 'grant' }, 60);
      for (const id of ['early', 'late', 'later']) {
        expect(await nodes.other('AccessToken').find(id), id).to.equal(undefined);
      }
    });

    it('deletes a record that belonged to no grant before', async () => {
      const nodes = backend().open();
      await nodes.one('DeviceCode').upsert('id', { jti: 'id', userCode: 'BCDFGHJK' }, 60);
      await nodes.one('Grant').destroy('grant');
      await nodes.other('DeviceCode').upsert('id', { jti: 'id', userCode: 'BCDFGHJK', grantId: 'grant' }, 60);
      expect(await nodes.one('DeviceCode').find('id')).to.equal(undefined);
    });
  });
}
