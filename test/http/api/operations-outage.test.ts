/**
 * Sends each request of an app while the store cannot be reached. Each must be answered, and none may change anything.
 */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { GENEROUS, storesMayTake } from '../../stores/patience.ts';
import type { Answer } from '../../support/agent.ts';
import { AppPerson } from '../../support/app.ts';
import { RedisWorld } from '../../support/redis-world.ts';
import { BrowserPerson } from '../../support/world.ts';
import { CLIENT_OPERATIONS } from '../actions/actions.ts';

/** The operations of `src/http/routes.ts`. The description of the API needs no store. */
const OPERATIONS = [
  'POST /qr/api/scans',
  'GET /qr/api/tickets/:id',
  'POST /qr/api/tickets/:id/decision',
  'GET /qr/api/requests',
  'POST /qr/api/requests/:id',
  'GET /qr/api/browsers',
  'DELETE /qr/api/browsers',
  'POST /qr/api/browsers/:browser',
  'DELETE /qr/api/browsers/:browser',
];

describe('a store that does not answer to an app', () => {
  storesMayTake(GENEROUS);

  let there: RedisWorld;
  let app: AppPerson;
  let browser: BrowserPerson;
  let code: string;
  const answers = new Map<string, Answer>();

  before(async () => {
    there = await RedisWorld.start({ qrLogin: { shortCode: true } });
    browser = new BrowserPerson(there.world);
    [app] = await Promise.all([new AppPerson(there.world).signIn(), browser.start()]);
    code = await browser.code();
    await app.scan(code);
    const id = `${app.at.split('/').at(-1)}`;
    there.pause();
    for (const operation of OPERATIONS) {
      const [method = '', path = ''] = operation.split(' ');
      const body = path.endsWith('/scans') ? { code } : path.includes('/requests/') ? {} : { decision: 'approve' };
      const url = path.replace(':id', id).replace(':browser', 'some-browser');
      answers.set(operation, await app.request(method, url, method === 'POST' ? { body } : {}));
    }
    await there.resume();
  });

  after(() => there?.stop());

  it('is tested with every operation', () => {
    const routes = readFileSync(new URL('../../../src/http/routes.ts', import.meta.url), 'utf8');
    const all = [...routes.matchAll(/^ {2}atApi\('([^']+)', \{(.*?)\}\);$/gms)].flatMap(([, path, methods = '']) =>
      [...methods.matchAll(/\b(get|post|delete): \[/g)].map(([, method]) =>
        `${method}`.toUpperCase().concat(` ${path}`),
      ),
    );
    // The operations of clients are tested in actions/action-requests-outage.test.ts.
    expect(all).to.have.members([...OPERATIONS, ...CLIENT_OPERATIONS, 'GET /qr/api/openapi.json']);
  });

  it('makes each answer 503 with an error code and Retry-After', () => {
    for (const [operation, answer] of answers) {
      expect([answer.status, answer.json().error], operation).to.deep.equal([503, 'store_unavailable']);
      expect(answer.headers.get('retry-after'), operation).to.equal('2');
      expect(answer.headers.get('cache-control'), operation).to.equal('no-store');
      expect(answer.headers.get('www-authenticate'), operation).to.equal(null);
    }
  });

  it('has changed nothing: the same app approves, and the browser is signed in', async () => {
    expect((await browser.ticket()).state).to.equal('scanned');
    expect((await app.approve()).json().state).to.equal('approved');
    const arrived = await browser.arrive();
    expect((await browser.tokens(arrived)).claims()?.sub).to.equal('a11ce');
  });
});
