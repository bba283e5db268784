import { expect } from 'chai';
import fc from 'fast-check';
import { inFullSuite } from '../../support/full-suite.ts';
import type { WorldOptions } from '../../support/world.ts';
import { inFront } from '../attack.ts';
import { ROUTES } from './routes.ts';
import { patience, runs } from './runs.ts';
import { Stage } from './stage.ts';

const SERVERS: Readonly<Record<string, WorldOptions>> = {
  'the server': {},
  'the server behind a proxy, below a path, with passkeys': { path: '/id', proxy: true, passkeys: true },
};

for (const [name, options] of Object.entries(SERVERS)) {
  describe(`${name}, with arbitrary requests`, function () {
    this.timeout(patience());

    let stage: Stage;

    before(async () => {
      stage = await Stage.start(options);
    });

    after(() => stage?.stop());

    it('answers validly, does not echo the requests, and leaves the bystander’s sign-in unchanged', async () => {
      await fc.assert(stage.strangeRequests(), runs({ short: 10, full: 60 }));
      // There are many routes, so chance leaves some out in the short suite.
      if (stage.missed.length > 0) await fc.assert(stage.strangeRequests(stage.missed), runs({ short: 3, full: 3 }));
      expect(stage.missed).to.deep.equal([]);
      if (process.env.FC_TALLY) process.stderr.write(`${[...stage.tally].sort().join('\n')}\n`);
    });

    it('survives bytes that are not a request', () => stage.sendOutrages());

    it('survives requests that were damaged in transit', async () => {
      await fc.assert(stage.damagedRequests, runs({ short: 3, full: 12 }));
    });
  });
}

/** Servers with a deliberate fault, which the fuzzing must find. */
const FAULTS: Readonly<Record<string, WorldOptions>> = {
  'that echoes the query on a page': inFront(async (ctx, next) => {
    // A compressed page could not be changed.
    ctx.req.headers['accept-encoding'] = 'identity';
    await next();
    if (ctx.type === 'text/html') ctx.body = `${ctx.body}<p>${decodeURIComponent(ctx.querystring)}</p>`;
  }),
  'that echoes the query in a header': inFront(async (ctx, next) => {
    await next();
    ctx.set('x-asked', encodeURIComponent(`${ctx.query.after}`));
  }),
  'that fails for some values of Accept-Language': inFront(async (ctx, next) => {
    if (/\W{2}/.test(ctx.get('accept-language'))) throw new Error('there is no such language');
    await next();
  }),
  'that takes any token for the client that asks for actions': inFront(async (ctx, next) => {
    await next();
    if (ctx.path.endsWith('/qr/actions') && ctx.status === 401) Object.assign(ctx, { status: 201, body: {} });
  }),
  'that sets a cookie with an answer for an app': inFront(async (ctx, next) => {
    await next();
    if (ctx.path.includes('/qr/api/')) ctx.append('Set-Cookie', '_qr_app=1; Path=/qr; HttpOnly; SameSite=Lax');
  }),
  'that answers an app with a page': inFront(async (ctx, next) => {
    await next();
    if (ctx.path.includes('/qr/api/') && ctx.status === 404) Object.assign(ctx, { type: 'html', body: '<p>Not found' });
  }),
  'that lets its error pages be framed': inFront(async (ctx, next) => {
    await next();
    if (ctx.status === 404) ctx.remove('X-Frame-Options');
  }),
  'that accepts any signature of a cookie': {
    extend: ({ provider }) => {
      const good = provider.keys;
      const lenient = { sign: () => 'signed', verify: () => true, index: () => 0 };
      provider.keys = lenient as unknown as NonNullable<typeof good>;
    },
  },
};

describe('the fuzzed requests', () => {
  it('cover every URL of the plugin, with those of the API', () => {
    expect(ROUTES).to.have.length.greaterThan(40);
    expect(new Set(ROUTES.map(({ path }) => path)).size).to.be.greaterThan(30);
    const ofApi = ROUTES.filter(({ tokenOf }) => tokenOf !== undefined).map(({ method, path }) => `${method} ${path}`);
    expect(ofApi).to.include.members(['POST /qr/actions', 'POST /qr/api/scans', 'DELETE /qr/api/browsers']);
  });
});

inFullSuite(() => {
  describe('fuzzing finds the fault of a server', function () {
    this.timeout(patience());

    for (const [fault, options] of Object.entries(FAULTS)) {
      it(fault, async () => {
        const stage = await Stage.start(options);
        try {
          const found = await fc.check(stage.strangeRequests(), { numRuns: 200, endOnFailure: true });
          expect(found.failed, 'nothing was found').to.equal(true);
          expect(found.errorInstance, 'what was found').to.be.an('error').with.property('name', 'AssertionError');
        } finally {
          await stage.stop();
        }
      });
    }
  });
});
