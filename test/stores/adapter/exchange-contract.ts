/** The contract of an exchange: it uses up a record when it finishes, and not before. */
import { expect } from 'chai';
import { Exchange } from '../../../src/stores/adapter/exchange.ts';
import type { AdapterBackend, TwoNodes } from './backends.ts';
import { type ModelChoice, OF_EACH_MODEL, USED_ONCE } from './payloads.ts';

export function testExchanges(backend: () => AdapterBackend, choose: ModelChoice): void {
  describe('when records are exchanged for tokens,', () => {
    let nodes: TwoNodes;

    beforeEach(() => {
      nodes = backend().open();
    });

    // A pushed request is used at the authorization endpoint, outside of exchanges.
    const models = USED_ONCE.filter((model) => model !== 'PushedAuthorizationRequest');
    for (const model of choose(models)) testModel(model, () => nodes);
  });
}

function testModel(model: string, nodes: () => TwoNodes): void {
  const payload = OF_EACH_MODEL[model] ?? {};

  /** Consumes the record in a new exchange. */
  async function use(node: 'one' | 'other'): Promise<Exchange> {
    const exchange = new Exchange();
    await exchange.run(() => nodes()[node](model).consume('id'));
    return exchange;
  }

  function refusal(used: Promise<unknown>): Promise<unknown> {
    return used.then(
      () => undefined,
      (error: Error) => error.message,
    );
  }

  describe(model, () => {
    beforeEach(() => nodes().one(model).upsert('id', payload, 60));

    it('does not show that it is in an exchange', async () => {
      await use('one');
      expect(await nodes().other(model).find('id')).to.deep.equal(payload);
    });

    it('is consumed when its exchange finishes', async () => {
      expect(await (await use('one')).finish()).to.equal(true);
      expect((await nodes().other(model).find('id'))?.consumed).to.be.a('number');
      expect(await refusal(use('other'))).to.equal('invalid_grant');
      expect(await refusal(nodes().other(model).consume('id'))).to.equal('invalid_grant');
    });

    it('is given back after a failed exchange, even if the exchange had consumed it', async () => {
      await (await use('one')).release();
      const finished = await use('other');
      expect(await finished.finish()).to.equal(true);
      await finished.release();
      expect(await nodes().one(model).find('id')).to.deep.equal(payload);
      expect(await (await use('one')).finish()).to.equal(true);
    });

    it('is refused to a waiting exchange if the exchange before it finishes', async () => {
      const first = await use('one');
      const second = refusal(use('other'));
      expect(await first.finish()).to.equal(true);
      expect(await second).to.equal('invalid_grant');
    });

    it('is given to a waiting exchange if the exchange before it fails', async () => {
      const first = await use('one');
      const second = use('other');
      await first.release();
      expect(await (await second).finish()).to.equal(true);
      // The first exchange has no record any more that it could give back.
      await first.release();
      expect(await first.finish()).to.equal(false);
      expect((await nodes().one(model).find('id'))?.consumed).to.be.a('number');
    });

    it('makes its exchange fail to finish if another request has consumed it meanwhile', async () => {
      const exchange = await use('one');
      await nodes().other(model).consume('id');
      expect(await exchange.finish()).to.equal(false);
      await exchange.release();
      expect((await nodes().one(model).find('id'))?.consumed).to.be.a('number');
    });

    it('is not brought back if its grant was revoked meanwhile', async () => {
      const exchange = await use('one');
      await nodes().other(model).revokeByGrantId('grant');
      expect(await exchange.finish()).to.equal(true);
      await exchange.release();
      expect(await nodes().one(model).find('id')).to.equal(undefined);
    });
  });
}
