/** The contract of `consume`: of any number of concurrent calls for a record that can be used once, one succeeds. */
import { expect } from 'chai';
import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import { consumeAs } from '../../../src/stores/adapter/consumer.ts';
import { sizeOfSuite } from '../../support/full-suite.ts';
import { until } from '../../support/until.ts';
import type { AdapterBackend, TwoNodes } from './backends.ts';
import { type ModelChoice, OF_EACH_MODEL, USED_ONCE, USED_ONCE_OF_A_GRANT } from './payloads.ts';

const AT_ONCE = 50;
const ROUNDS = sizeOfSuite({ short: 2, full: 50 });
/** A time in the past, in seconds since the epoch. */
const BEFORE = 1_767_225_600;

const OTHERS = Object.keys(OF_EACH_MODEL).filter((model) => !USED_ONCE.includes(model));

export function testConsume(backend: () => AdapterBackend, choose: ModelChoice): void {
  describe('when records are consumed,', () => {
    let nodes: TwoNodes;

    beforeEach(() => {
      nodes = backend().open();
    });

    /** Consumes a record from both nodes at the same time. @returns the number of calls that succeeded */
    async function race(model: string, id: string): Promise<number> {
      const tries = Array.from({ length: AT_ONCE }, (_, turn) => {
        const node = turn % 2 === 0 ? nodes.one : nodes.other;
        return node(model).consume(id);
      });
      const outcomes = await Promise.allSettled(tries);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).to.be.instanceOf(refusalOf(model));
      }
      return outcomes.filter(({ status }) => status === 'fulfilled').length;
    }

    it('lets the same consumer, and no other, consume a pushed request again', async () => {
      const model = 'PushedAuthorizationRequest';
      await nodes.one(model).upsert('id', OF_EACH_MODEL[model] ?? {}, 60);
      await consumeAs('first', () => nodes.one(model).consume('id'));
      await consumeAs('first', () => nodes.other(model).consume('id'));
      const others = [consumeAs('second', () => errorOfConsume(nodes.other(model))), errorOfConsume(nodes.one(model))];
      for (const refusal of await Promise.all(others)) expect(refusal).to.be.instanceOf(refusalOf(model));
      expect(await nodes.one(model).find('id')).to.have.keys(...Object.keys(OF_EACH_MODEL[model] ?? {}), 'consumed');
    });

    for (const model of choose(USED_ONCE)) {
      it(`lets one of ${AT_ONCE} concurrent calls for ${model} succeed`, async () => {
        await nodes.one(model).upsert('id', OF_EACH_MODEL[model] ?? {}, 60);
        expect(await race(model, 'id')).to.equal(1);
        expect(await race(model, 'id')).to.equal(0);
      });

      it(`keeps the time at which ${model} was first consumed when it is consumed again`, async () => {
        await nodes.one(model).upsert('id', withoutGrant(model), 60);
        await nodes.one(model).consume('id');
        const first = await nodes.one(model).find('id');
        expect(await errorOfConsume(nodes.other(model))).to.be.instanceOf(refusalOf(model));
        expect(await nodes.other(model).find('id')).to.deep.equal(first);
      });

      it(`does not consume a ${model} that was destroyed`, async () => {
        await nodes.one(model).upsert('id', OF_EACH_MODEL[model] ?? {}, 60);
        await nodes.other(model).destroy('id');
        expect(await race(model, 'id')).to.equal(0);
        expect(await nodes.one(model).find('id')).to.equal(undefined);
      });

      it(`does not consume a ${model} that has expired`, async () => {
        await nodes.one(model).upsert('id', OF_EACH_MODEL[model] ?? {}, 0.05);
        await untilGone(nodes.other(model));
        expect(await race(model, 'id')).to.equal(0);
        expect(await nodes.other(model).find('id')).to.equal(undefined);
      });

      it(`does not consume a ${model} that was written as consumed`, async () => {
        const consumed = { ...withoutGrant(model), consumed: BEFORE };
        await nodes.one(model).upsert('id', consumed, 60);
        expect(await race(model, 'id')).to.equal(0);
        expect(await nodes.other(model).find('id')).to.deep.equal(consumed);
      });

      it(`treats a ${model} as consumed if "consumed" was written as a boolean or a date`, async () => {
        for (const consumed of [true, new Date(BEFORE * 1000)]) {
          await nodes.one(model).upsert(`${consumed}`, { ...withoutGrant(model), consumed }, 60);
          expect(Boolean((await nodes.other(model).find(`${consumed}`))?.consumed), `${consumed}`).to.equal(true);
        }
      });

      it(`does not consume a ${model} that was overwritten as consumed`, async () => {
        const payload = withoutGrant(model);
        await nodes.one(model).upsert('id', payload, 60);
        await nodes.other(model).upsert('id', { ...payload, consumed: BEFORE }, 60);
        expect(await race(model, 'id')).to.equal(0);
        expect(await nodes.one(model).find('id')).to.deep.equal({ ...payload, consumed: BEFORE });
      });

      it(`consumes a ${model} once if a stale copy is saved at the same time`, async () => {
        const payload = OF_EACH_MODEL[model] ?? {};
        await nodes.one(model).upsert('id', payload, 60);
        const [passed] = await Promise.all([race(model, 'id'), nodes.other(model).upsert('id', payload, 60)]);
        expect(passed).to.equal(1);
        expect(await race(model, 'id')).to.equal(0);
      });
    }

    for (const model of choose(USED_ONCE_OF_A_GRANT)) {
      it(`does not consume a ${model} after its grant was revoked`, async () => {
        await nodes.one(model).upsert('id', OF_EACH_MODEL[model] ?? {}, 60);
        await nodes.other(model).revokeByGrantId('grant');
        expect(await race(model, 'id')).to.equal(0);
        expect(await nodes.one(model).find('id')).to.equal(undefined);
      });
    }

    for (const model of choose(Object.keys(OF_EACH_MODEL))) {
      const payload = withoutGrant(model);

      it(`keeps the time at which ${model} was first consumed when it is saved with a later time`, async () => {
        await nodes.one(model).upsert('id', { ...payload, consumed: BEFORE }, 60);
        await nodes.other(model).upsert('id', { ...payload, consumed: BEFORE + 30 }, 60);
        expect(await nodes.one(model).find('id')).to.deep.equal({ ...payload, consumed: BEFORE });
      });

      it(`keeps a ${model} consumed when a stale copy is saved afterwards`, async () => {
        await nodes.one(model).upsert('id', payload, 60);
        await nodes.one(model).consume('id');
        const { consumed } = (await nodes.other(model).find('id')) ?? {};
        expect(consumed).to.be.a('number');
        const stale = { ...payload, error: 'of a stale save' };
        await nodes.other(model).upsert('id', stale, 60);
        expect(await nodes.one(model).find('id')).to.deep.equal({ ...stale, consumed });
        if (USED_ONCE.includes(model)) expect(await race(model, 'id')).to.equal(0);
        expect(await nodes.other(model).find('id')).to.deep.equal({ ...stale, consumed });
      });
    }

    it(`consumes an authorization code once, in each of ${ROUNDS} rounds of ${AT_ONCE} concurrent calls`, async () => {
      const payload = OF_EACH_MODEL.AuthorizationCode ?? {};
      for (let round = 0; round < ROUNDS; round++) {
        await nodes.one('AuthorizationCode').upsert(`${round}`, { ...payload, grantId: `grant ${round}` }, 60);
        expect(await race('AuthorizationCode', `${round}`), `round ${round}`).to.equal(1);
      }
    });

    for (const model of choose(OTHERS)) {
      it(`consumes a ${model} any number of times`, async () => {
        await nodes.one(model).upsert('id', OF_EACH_MODEL[model] ?? {}, 60);
        expect(await race(model, 'id')).to.equal(AT_ONCE);
      });

      it(`does not create a ${model} that never existed or has expired`, async () => {
        expect(await race(model, 'id')).to.equal(AT_ONCE);
        expect(await nodes.one(model).find('id')).to.equal(undefined);
        await nodes.one(model).upsert('id', OF_EACH_MODEL[model] ?? {}, 0.05);
        await untilGone(nodes.other(model));
        await nodes.one(model).consume('id');
        expect(await nodes.other(model).find('id')).to.equal(undefined);
      });
    }

    it('does not bring back a record that is destroyed at the same time', async () => {
      for (const model of USED_ONCE) {
        await nodes.one(model).upsert('id', withoutGrant(model), 60);
        await Promise.all([race(model, 'id'), nodes.other(model).destroy('id')]);
        expect(await nodes.one(model).find('id'), model).to.equal(undefined);
        await nodes.one(model).upsert('id', withoutGrant(model), 60);
        await Promise.all([nodes.other(model).destroy('id'), race(model, 'id')]);
        expect(await nodes.one(model).find('id'), model).to.equal(undefined);
      }
    });
  });
}

function withoutGrant(model: string): AdapterPayload {
  const { grantId: _grantId, ...payload } = OF_EACH_MODEL[model] ?? {};
  return payload;
}

/** Returns the class of the error for a record that was used before. */
function refusalOf(model: string): typeof errors.InvalidGrant | typeof errors.InvalidRequestUri {
  return model === 'PushedAuthorizationRequest' ? errors.InvalidRequestUri : errors.InvalidGrant;
}

async function errorOfConsume(records: Adapter): Promise<unknown> {
  return records.consume('id').then(
    () => undefined,
    (reason: unknown) => reason,
  );
}

/** Waits until a record has expired. There is no event for that, so it polls. */
function untilGone(records: Adapter): Promise<void> {
  return until(async () => (await records.find('id')) === undefined);
}
