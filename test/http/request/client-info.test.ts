import { expect } from 'chai';
import type { Context } from 'koa';
import { addressOf, sourceOf } from '../../../src/http/request/client-info.ts';
import { BrowserPerson, World } from '../../support/world.ts';

function request(headers: Record<string, string>, app: { proxy: boolean; maxIpsCount?: number }): Context {
  const ips = (headers['x-forwarded-for'] ?? '').split(',').map((ip) => ip.trim());
  const remoteAddress = '198.51.100.1';
  return {
    app,
    ips: app.proxy ? ips.filter(Boolean).slice(-(app.maxIpsCount ?? 0)) : [],
    ip: app.proxy && ips[0] ? ips.slice(-(app.maxIpsCount ?? 0))[0] : remoteAddress,
    get: (name: string) => headers[name] ?? '',
    req: { socket: { remoteAddress } },
  } as unknown as Context;
}

describe('the address of a client', () => {
  const behindOne = { proxy: true, maxIpsCount: 1 };

  for (const [written, address, source] of [
    ['203.0.113.7', '203.0.113.7', '203.0.113.7'],
    ['203.0.113.7:4711', '203.0.113.7', '203.0.113.7'],
    ['[2001:db8::7]:4711', '2001:db8::7', '2001:db8:0:0'],
    ['[2001:db8::7]', '2001:db8::7', '2001:db8:0:0'],
    ['2001:db8::7', '2001:db8::7', '2001:db8:0:0'],
    ['::ffff:203.0.113.7', '203.0.113.7', '203.0.113.7'],
  ] as const) {
    it(`is read from X-Forwarded-For: ${written}`, () => {
      const ctx = request({ 'x-forwarded-for': written }, behindOne);
      expect([addressOf(ctx), sourceOf(ctx)]).to.deep.equal([address, source]);
    });
  }

  for (const header of ['X-Real-IP', 'CF-Connecting-IP', 'True-Client-IP', 'Forwarded', 'Via', 'X-Forwarded-For']) {
    it(`is not known if ${header} shows a proxy that was not declared`, () => {
      const ctx = request({ [header.toLowerCase()]: '203.0.113.7' }, { proxy: false });
      expect(addressOf(ctx)).to.equal(undefined);
      expect(sourceOf(ctx)).to.equal('198.51.100.1');
    });
  }

  it('is missing with only one warning if several requests show a proxy that was not declared', async () => {
    const warnings: Error[] = [];
    const record = (warning: Error): unknown => warnings.push(warning);
    process.on('warning', record);
    try {
      await World.during({}, async (world) => {
        for (let count = 0; count < 3; count++) await new BrowserPerson(world, { 'x-real-ip': '203.0.113.7' }).start();
      });
    } finally {
      process.off('warning', record);
    }
    const ours = warnings.filter((warning) => 'code' in warning && warning.code === 'QR_LOGIN_PROXY');
    expect(ours.map(({ message }) => message.split(',')[0])).to.deep.equal(['a request has the header x-real-ip']);
  });
});
