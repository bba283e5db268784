/**
 * Rows 23 and 24 of the table in docs/security.md: logs and stores contain no usable secret, and events and logs record
 * every decision and failure.
 */

import { expect } from 'chai';
import { logEvents, logRequests, makeLogger } from '../../../examples/log.ts';
import { Cookies } from '../../../src/http/request/cookies.ts';
import type { Fixture } from '../../fixtures/provider.ts';
import { GENEROUS, storesMayTake } from '../../stores/patience.ts';
import { inFullSuite } from '../../support/full-suite.ts';
import { RedisWorld } from '../../support/redis-world.ts';
import { World, type WorldOptions } from '../../support/world.ts';
import { replacing, siteOf } from '../attack.ts';
import { fieldsIn, recordFields } from '../request-fields.ts';
import type { Secrets } from './collected.ts';
import { Recorder, runEveryOutcome } from './outcomes.ts';

interface Run {
  readonly recorder: Recorder;
  readonly secrets: Secrets;
  readonly log: string;
}

/** A server that assesses sign-ins by the user agents, so that the tests can choose the verdict. */
const OPTIONS: WorldOptions = {
  passkeys: true,
  qrLogin: {
    shortCode: true,
    limits: { account: { scan: 100 } },
    assess: ({ browser, phone }) => {
      if (phone.userAgent?.includes('risky')) return 'deny';
      return browser.userAgent?.includes('unfamiliar') ? 'check code' : 'allow';
    },
  },
};

describe('after sign-ins of every outcome', () => {
  let run: Run;
  let stored: string;

  before(async () => {
    const lines: string[] = [];
    const logger = makeLogger({ write: (line: string) => void lines.push(line) });
    logger.level = 'trace';
    const extend = ({ provider }: Fixture): void => {
      logEvents(provider, logger);
      provider.middleware.unshift(logRequests(logger));
    };
    await World.during({ ...OPTIONS, extend }, async (world) => {
      const recorder = new Recorder(world.provider);
      const secrets = await runEveryOutcome(siteOf(world));
      stored = await dumpOf(world);
      run = { recorder, secrets, log: lines.join('') };
    });
  });

  it('the secrets and the log of the sign-ins were recorded', () => {
    expect(run.secrets.size).to.be.greaterThan(100);
    expect(run.log.split('\n').length).to.be.greaterThan(100);
  });

  it('the log holds no secret', () => {
    expect(run.secrets.foundIn(run.log)).to.deep.equal([]);
  });

  it('the log holds no secret in a percent-encoded address', () => {
    expect(run.secrets.filterByName((name) => name !== 'check code').foundIn(decoded(run.log))).to.deep.equal([]);
  });

  it('events and errors hold no secret, not even in their causes', () => {
    expect(run.secrets.foundIn(run.recorder.everything)).to.deep.equal([]);
  });

  it('the store holds no secret that could scan, approve or finish a ticket', () => {
    expect(run.secrets.filterByName(isKey).foundIn(stored)).to.deep.equal([]);
  });

  it('each decision is an event with the account, the client, the ticket and the address', () => {
    for (const [event, because] of DECISIONS) {
      const events = run.recorder.eventsOf(event).filter((one) => because === undefined || one.because === because);
      expect(events, `${event} ${because}`).not.to.be.empty;
      for (const one of events) {
        expect(one.from, event).to.match(/^(127\.0\.0\.1|0:0:0:0)$/);
        expect(one.clientId, event).to.equal('test-rp');
        if (event !== 'qr_login.passkey') expect(one.ticket, event).to.match(/^[\w-]{16}$/);
        if (event !== 'qr_login.shown') expect(one.accountId, event).to.be.oneOf(['a11ce', 'b0b']);
        expect(run.log).to.include(`"event":"${event}"`);
      }
    }
  });

  it('each failure is an event, and a line of the log with its address, path and message', () => {
    for (const code of FAILURES) {
      expect(run.recorder.failures, code).to.include(code);
      const line = run.log.split('\n').find((one) => one.includes(`"code":"${code}"`)) ?? '{}';
      expect(JSON.parse(line), code).to.include.keys('from', 'path', 'message');
    }
  });
});

inFullSuite(() => {
  describe('on a server without the defence, the same tests find', () => {
    let run: Run;
    let stored: string;

    before(async () => {
      const lines: string[] = [];
      const undo = bindingAsItIs();
      try {
        await World.during({ ...OPTIONS, extend: (example) => loggingRequests(example, lines) }, async (world) => {
          const recorder = new Recorder(world.provider);
          const secrets = await runEveryOutcome(siteOf(world));
          stored = await dumpOf(world);
          run = { recorder, secrets, log: lines.join('') };
        });
      } finally {
        undo();
      }
    });

    it('row 23: codes, ids and cookies in the log', () => {
      expect(run.secrets.foundIn(run.log)).to.include.members(['code', 'check code', 'short code', 'csrf']);
    });

    it("row 23: the browsers' bindings in the store", () => {
      expect(
        run.secrets
          .filterByName(isKey)
          .foundIn(stored)
          .some((name) => name.includes('_qr_browser')),
      ).to.equal(true);
    });

    it('row 24: denials without an event', () => {
      expect(run.recorder.eventsOf('qr_login.approved')).not.to.be.empty;
      expect(run.recorder.eventsOf('qr_login.denied')).to.be.empty;
    });
  });
});

/** Stores the value of the browser's cookie instead of its hash. */
const bindingAsItIs = replacing(
  Cookies.prototype,
  'binding',
  () => (ctx) => ctx.cookies.get('_qr_browser', { signed: false }),
);

/** Logs whole requests, and emits no event for denials. */
function loggingRequests({ provider }: Fixture, lines: string[]): void {
  provider.middleware.unshift(async (ctx, next) => {
    await recordFields(ctx, next);
    lines.push(JSON.stringify([ctx.url, ctx.headers, fieldsIn(ctx), ctx.body]));
  });
  const emit = provider.emit.bind(provider);
  provider.emit = (name, ...about) => (name === 'qr_login.denied' ? false : emit(name, ...about));
}

describe('a Redis after sign-ins of every outcome', () => {
  storesMayTake(GENEROUS);

  it('holds no secret that could scan, approve or finish a ticket', async () => {
    await RedisWorld.during(OPTIONS, async ({ world, redis }) => {
      const secrets = await runEveryOutcome(siteOf(world));
      const kept: unknown[] = [];
      for (const key of (await redis.command('KEYS', '*')) as string[]) {
        const type = `${await redis.command('TYPE', key)}`;
        const read = { string: ['GET', key], hash: ['HGETALL', key], set: ['SMEMBERS', key] }[type];
        kept.push(key, await redis.command(...(read ?? ['ZRANGE', key, '0', '-1'])));
      }
      const dump = kept.map(String).join('\n');
      expect(dump.length).to.be.greaterThan(10_000);
      expect(secrets.filterByName(isKey).foundIn(dump)).to.deep.equal([]);
    });
  });
});

/**
 * Returns true if the secret alone could be used. The names of the plugin's keys contain uids of interactions, which
 * are also values of cookies. Without its signature, such a cookie is worthless.
 */
function isKey(name: string): boolean {
  return /^(code|check code|short code|csrf|passkey|.*signature|access token|.*cookie _session$|.*cookie _qr_browser|.*\.sig|password)/.test(
    name,
  );
}

const DECISIONS: readonly (readonly [string, string?])[] = [
  ['qr_login.scanned'],
  ['qr_login.approved'],
  ['qr_login.denied', 'person'],
  ['qr_login.denied', 'risk'],
  ['qr_login.reported', 'report'],
  ['qr_login.cancelled', 'check code'],
  ['qr_login.finished'],
  ['qr_login.passkey'],
];

const FAILURES = [
  'wrong_check_code',
  'check_code_required',
  'invalid_csrf',
  'foreign_origin',
  'invalid_request',
  'not_found',
  'no_interaction',
  'not_signed_in',
  'wrong_state',
  'over',
  'wrong_proof',
  'proof_required',
  'unsupported_media_type',
  'too_large',
];

function decoded(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}

async function dumpOf({ store }: World): Promise<string> {
  const { iterator } = store;
  if (iterator === undefined) throw new Error('this store cannot be listed');
  const entries: unknown[] = [];
  for await (const entry of iterator.call(store, undefined)) entries.push(entry);
  return JSON.stringify(entries);
}
