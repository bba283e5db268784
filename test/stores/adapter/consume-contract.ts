/** What is used once is used by one, however many try. */
import { expect } from 'chai';
import { type Adapter, errors } from 'oidc-provider';
import { sizeOfSuite } from '../../support/full-suite.ts';
import { until } from '../../support/until.ts';
import type { AdapterBackend, TwoNodes } from './backends.ts';
import { type ModelChoice, OF_EACH_MODEL, USED_ONCE } from './payloads.ts';

const AT_ONCE = 50;
const ROUNDS = sizeOfSuite({ short: 2, full: 50 });
/** A moment in the past, in seconds since the epoch. */
const BEFORE = 1_767_225_600;

const OTHERS = Object.keys(OF_EACH_MODEL).filter((model) => !USED_ONCE.includes(model));

export function consumesOnce(backend: () => AdapterBackend, choose: ModelChoice): void {
  describe('consumes', () => {
    let nodes: TwoNodes;

    beforeEach(() => {
      nodes = backend().open();
    });

    /** Both nodes take turns. @returns how many got through */
    async function race(model: string, id: string): Promise<number> {
      const tries = Array.from({ length: AT_ONCE }, (_, turn) => {
        const node = turn % 2 === 0 ? nodes.one : nodes.other;
        return node(model).consume(id);
      });
      const outcomes = await Promise.allSettled(tries);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).to.be.instanceOf(errors.InvalidGrant);
      }
      return outcomes.filter(({ status }) => status === 'fulfilled').length;
    }

    for (const model of choose(USED_ONCE)) {
      it(`${model} once, of ${AT_ONCE} at a time`, async () => {
        await nodes.one(model).upsert('id', OF_EACH_MODEL[model] ?? {}, 60);
        expect(await race(model, 'id')).to.equal(1);
        expect(await race(model, 'id')).to.equal(0);
      });

      it(`${model} at the moment of the first time, although somebody tried again`, async () => {
        await nodes.one(model).upsert('id', OF_EACH_MODEL[model] ?? {}, 60);
        await nodes.one(model).consume('id');
        const first = await nodes.one(model).find('id');
        expect(await refusedBy(nodes.other(model))).to.be.instanceOf(errors.InvalidGrant);
        expect(await nodes.other(model).find('id')).to.deep.equal(first);
      });

      it(`${model} never, where it was destroyed`, async () => {
        await nodes.one(model).upsert('id', OF_EACH_MODEL[model] ?? {}, 60);
        await nodes.other(model).destroy('id');
        expect(await race(model, 'id')).to.equal(0);
        expect(await nodes.one(model).find('id')).to.equal(undefined);
      });

      it(`${model} never, where its time is over`, async () => {
        await nodes.one(model).upsert('id', OF_EACH_MODEL[model] ?? {}, 0.05);
        await gone(nodes.other(model));
        expect(await race(model, 'id')).to.equal(0);
        expect(await nodes.other(model).find('id')).to.equal(undefined);
      });

      it(`${model} never, where its grant was revoked`, async () => {
        await nodes.one(model).upsert('id', OF_EACH_MODEL[model] ?? {}, 60);
        await nodes.other(model).revokeByGrantId('grant');
        expect(await race(model, 'id')).to.equal(0);
        expect(await nodes.one(model).find('id')).to.equal(undefined);
      });

      it(`${model} never, where it was written as consumed`, async () => {
        const consumed = { ...OF_EACH_MODEL[model], consumed: BEFORE };
        await nodes.one(model).upsert('id', consumed, 60);
        expect(await race(model, 'id')).to.equal(0);
        expect(await nodes.other(model).find('id')).to.deep.equal(consumed);
      });

      it(`${model} never, where it was written as consumed over what was not`, async () => {
        const payload = OF_EACH_MODEL[model] ?? {};
        await nodes.one(model).upsert('id', payload, 60);
        await nodes.other(model).upsert('id', { ...payload, consumed: BEFORE }, 60);
        expect(await race(model, 'id')).to.equal(0);
        expect(await nodes.one(model).find('id')).to.deep.equal({ ...payload, consumed: BEFORE });
      });

      it(`${model} once, although who had read it before saves it at the same time`, async () => {
        const payload = OF_EACH_MODEL[model] ?? {};
        await nodes.one(model).upsert('id', payload, 60);
        const [passed] = await Promise.all([race(model, 'id'), nodes.other(model).upsert('id', payload, 60)]);
        expect(passed).to.equal(1);
        expect(await race(model, 'id')).to.equal(0);
      });
    }

    for (const model of choose(Object.keys(OF_EACH_MODEL))) {
      const payload = OF_EACH_MODEL[model] ?? {};

      it(`${model} at the moment of the first time, although it is saved with a later one`, async () => {
        await nodes.one(model).upsert('id', { ...payload, consumed: BEFORE }, 60);
        await nodes.other(model).upsert('id', { ...payload, consumed: BEFORE + 30 }, 60);
        expect(await nodes.one(model).find('id')).to.deep.equal({ ...payload, consumed: BEFORE });
      });

      it(`${model} for good, although who had read it before saves it afterwards`, async () => {
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

    it(`an authorization code once, in each of ${ROUNDS} rounds of ${AT_ONCE} at a time`, async () => {
      const payload = OF_EACH_MODEL.AuthorizationCode ?? {};
      for (let round = 0; round < ROUNDS; round++) {
        await nodes.one('AuthorizationCode').upsert(`${round}`, payload, 60);
        expect(await race('AuthorizationCode', `${round}`), `round ${round}`).to.equal(1);
      }
    });

    for (const model of choose(OTHERS)) {
      it(`${model} as often as anybody wants`, async () => {
        await nodes.one(model).upsert('id', OF_EACH_MODEL[model] ?? {}, 60);
        expect(await race(model, 'id')).to.equal(AT_ONCE);
      });

      it(`no ${model} into being that is not there (any more)`, async () => {
        expect(await race(model, 'id')).to.equal(AT_ONCE);
        expect(await nodes.one(model).find('id')).to.equal(undefined);
        await nodes.one(model).upsert('id', OF_EACH_MODEL[model] ?? {}, 0.05);
        await gone(nodes.other(model));
        await nodes.one(model).consume('id');
        expect(await nodes.other(model).find('id')).to.equal(undefined);
      });
    }

    it('nothing into being that is destroyed at the same time', async () => {
      for (const model of USED_ONCE) {
        await nodes.one(model).upsert('id', OF_EACH_MODEL[model] ?? {}, 60);
        await Promise.all([race(model, 'id'), nodes.other(model).destroy('id')]);
        expect(await nodes.one(model).find('id'), model).to.equal(undefined);
        await nodes.one(model).upsert('id', OF_EACH_MODEL[model] ?? {}, 60);
        await Promise.all([nodes.other(model).destroy('id'), race(model, 'id')]);
        expect(await nodes.one(model).find('id'), model).to.equal(undefined);
      }
    });
  });
}

async function refusedBy(records: Adapter): Promise<unknown> {
  return records.consume('id').then(
    () => undefined,
    (reason: unknown) => reason,
  );
}

/** Nothing tells that a record's time is over; that is only seen by looking. */
function gone(records: Adapter): Promise<void> {
  return until(async () => (await records.find('id')) === undefined);
}
