import { once } from 'node:events';
import { createServer } from 'node:net';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { type Fetch, memorySigner, Phone } from '../../src/phone/index.ts';
import { freePort, LOOPBACK, listen } from '../support/server.ts';
import { until } from '../support/until.ts';
import { errorOf } from './errors.ts';
import { ProofServer, type Reply, type SeenRequest } from './proof-server.ts';
import { viewOf } from './views.ts';

const HOUR_MS = 3_600_000;
const OK: Reply = { body: viewOf() };

function refusal(status: number, error: string, headers: Record<string, string> = {}, more: object = {}): Reply {
  return { status, headers, body: { error, error_description: `refused: ${error}`, ...more } };
}

/** Answers as a server that demands this nonce. */
function demandNonce(nonce: string, { proof }: SeenRequest, reply: Reply = OK): Reply {
  return proof.nonce === nonce ? reply : refusal(401, 'use_dpop_nonce', { 'DPoP-Nonce': nonce });
}

describe('a request of the library for apps', () => {
  it('has the token, a proof, and no cookies', () =>
    ProofServer.during(
      () => OK,
      async (server) => {
        const phone = await server.phone();
        expect((await phone.ticket('an id/with?signs')).asked).to.deep.equal(viewOf());
        const [request] = server.requests;
        expect(request?.target).to.equal('/op/qr/api/tickets/an%20id%2Fwith%3Fsigns');
        expect(request?.headers).to.include({ authorization: 'DPoP a token' });
        expect(request?.headers).not.to.have.any.keys('cookie', 'content-type');
      },
      '/op',
    ));

  describe('for which the provider demands a nonce', () => {
    it('is repeated once, with another proof, and the nonce is remembered', () =>
      ProofServer.during(
        (request) => demandNonce('n1', request),
        async (server) => {
          const phone = await server.phone();
          await phone.ticket('t');
          await phone.ticket('t');
          expect(server.requests.map(({ proof }) => proof.nonce)).to.deep.equal([undefined, 'n1', 'n1']);
          expect(new Set(server.requests.map(({ proof }) => proof.jti)).size).to.equal(3);
        },
      ));

    it('uses the newest nonce, even from an answer to a request that needed none', () => {
      const nonces = ['n1', 'n2', 'n3'];
      return ProofServer.during(
        () => ({ ...OK, headers: { 'DPoP-Nonce': nonces.shift() ?? '' } }),
        async (server) => {
          const phone = await server.phone();
          for (let round = 0; round < 3; round++) await phone.ticket('t');
          expect(server.requests.map(({ proof }) => proof.nonce)).to.deep.equal([undefined, 'n1', 'n2']);
        },
      );
    });

    it('is not repeated twice', () => {
      let made = 0;
      return ProofServer.during(
        () => refusal(401, 'use_dpop_nonce', { 'DPoP-Nonce': `n${made++}` }),
        async (server) => {
          const error = await errorOf((await server.phone()).ticket('t'));
          expect(error).to.include({ code: 'use_dpop_nonce', action: 'retry', status: 401 });
          expect(server.requests).to.have.length(2);
        },
      );
    });

    it('sends the body again', () =>
      ProofServer.during(
        (request) => demandNonce('n1', request, { status: 201, body: viewOf() }),
        async (server) => {
          await (await server.phone()).scanShortCode('2345-678F');
          const bodies = server.requests.map(({ body }) => body);
          const sent = { actions: true, shortCode: '2345-678F' };
          expect(bodies).to.deep.equal([sent, sent]);
        },
      ));
  });

  describe('from a phone whose clock is wrong', () => {
    for (const skew of [HOUR_MS, -HOUR_MS]) {
      it(`has the time of the provider from the second proof on (${skew} ms)`, () => {
        const date = (): string => new Date(Date.now() + skew).toUTCString();
        const isRight = ({ proof }: SeenRequest): boolean =>
          Math.abs(Number(proof.iat) * 1000 - Date.now() - skew) < 300_000;
        return ProofServer.during(
          (request) =>
            isRight(request)
              ? { ...OK, headers: { Date: date() } }
              : refusal(401, 'invalid_dpop_proof', { Date: date() }),
          async (server) => {
            const phone = await server.phone();
            await phone.ticket('t');
            await phone.ticket('t');
            expect(server.requests.map(isRight)).to.deep.equal([false, true, true]);
          },
        );
      });
    }

    it('fails after two proofs that are refused', () =>
      ProofServer.during(
        () => refusal(401, 'invalid_dpop_proof'),
        async (server) => {
          const error = await errorOf((await server.phone()).ticket('t'));
          expect(error).to.include({ code: 'invalid_dpop_proof', action: 'stop' });
          expect(server.requests).to.have.length(2);
        },
      ));

    it('is repeated once with the time of the provider, and once more with the nonce', () => {
      const date = (): string => new Date(Date.now() + HOUR_MS).toUTCString();
      return ProofServer.during(
        ({ proof }) => {
          if (Number(proof.iat) * 1000 < Date.now() + HOUR_MS / 2)
            return refusal(401, 'invalid_dpop_proof', { Date: date() });
          return proof.nonce ? OK : refusal(401, 'use_dpop_nonce', { 'DPoP-Nonce': 'n1', Date: date() });
        },
        async (server) => {
          await (await server.phone()).ticket('t');
          expect(server.requests).to.have.length(3);
        },
      );
    });
  });

  describe('with a token that has expired', () => {
    const answer = ({ headers }: SeenRequest): Reply =>
      headers.authorization === 'DPoP fresh' ? OK : refusal(401, 'invalid_token');

    it('is repeated with the new token that the app gets', () =>
      ProofServer.during(answer, async (server) => {
        const asked: unknown[] = [];
        let token = 'old';
        const accessToken = async (refused?: string): Promise<string> => {
          asked.push(refused);
          if (refused === token) token = 'fresh';
          return token;
        };
        const phone = await server.phone({ accessToken });
        await phone.ticket('t');
        await phone.ticket('t');
        expect(asked).to.deep.equal([undefined, 'old', undefined]);
        expect(server.requests).to.have.length(3);
      }));

    it('shares one new token with the other requests that were refused in the meantime', () =>
      ProofServer.during(answer, async (server) => {
        const asked: unknown[] = [];
        let refresh = (): void => undefined;
        const accessToken = (refused?: string): Promise<string> | string => {
          asked.push(refused);
          if (refused === undefined) return 'old';
          return new Promise((resolve) => {
            refresh = () => resolve('fresh');
          });
        };
        let refusals = 0;
        const fetchAndCount: Fetch = async (url, init) => {
          const { status, headers, text } = await fetch(url, init).then(readWhole);
          refusals += 1;
          return { status, headers, text: async () => text };
        };
        const phone = await server.phone({ accessToken, fetch: fetchAndCount });
        const both = Promise.all([phone.ticket('t'), phone.ticket('t')]);
        await until(() => refusals === 2);
        // Wait one turn of the event loop, in which the library handles both answers.
        await nextTurn();
        refresh();
        await both;
        expect(asked).to.deep.equal([undefined, undefined, 'old']);
      }));

    it('fails if the app has no other token', () =>
      ProofServer.during(answer, async (server) => {
        for (const accessToken of ['old', () => 'old', (refused?: string) => (refused ? 'older' : 'old')]) {
          const error = await errorOf((await server.phone({ accessToken })).ticket('t'));
          expect(error).to.include({ code: 'invalid_token', action: 'sign_in' });
        }
        expect(server.requests).to.have.length(1 + 1 + 2);
      }));

    it('fails with the error of the app', () =>
      ProofServer.during(answer, async (server) => {
        const accessToken = (): never => {
          throw new RangeError('signed out');
        };
        const outcome = (await server.phone({ accessToken })).ticket('t').catch((error: unknown) => error);
        expect(await outcome).to.be.instanceOf(RangeError);
      }));
  });

  it("fails with the provider's error code and the step that helps", () => {
    const replies: readonly [Reply, object][] = [
      [refusal(404, 'not_found'), { code: 'not_found', action: 'scan', status: 404, message: 'refused: not_found' }],
      [refusal(410, 'over', {}, { reason: 'renewed' }), { code: 'over', action: 'scan', reason: 'renewed' }],
      [refusal(409, 'wrong_state', {}, { reason: 'elsewhere' }), { action: 'stop', reason: 'elsewhere' }],
      [refusal(429, 'too_many_requests', { 'Retry-After': '17' }), { action: 'retry', retryAfter: 17 }],
      [refusal(503, 'store_unavailable', { 'Retry-After': '2' }), { action: 'retry', retryAfter: 2 }],
      [refusal(500, 'server_error'), { action: 'retry' }],
      [refusal(403, 'insufficient_scope'), { action: 'sign_in' }],
      [refusal(403, 'wrong_proof'), { action: 'prove' }],
      [refusal(418, 'a_new_code'), { code: 'a_new_code', action: 'stop', status: 418 }],
    ];
    let next = 0;
    return ProofServer.during(
      () => replies[next]?.[0],
      async (server) => {
        const phone = await server.phone();
        for (const [, expected] of replies) {
          expect(await errorOf(phone.ticket('t'))).to.include(expected);
          next += 1;
        }
      },
    );
  });

  it('fails with an error that says which authentication the provider demands (RFC 9470)', () => {
    const challenges: readonly [string, object | undefined][] = [
      ['DPoP error="insufficient_user_authentication", max_age="0"', { maxAge: 0 }],
      [
        'DPoP algs="ES256", error="insufficient_user_authentication", acr_values="urn:a urn:b", max_age="300"',
        { maxAge: 300, acrValues: ['urn:a', 'urn:b'] },
      ],
      ['DPoP error="insufficient_user_authentication"', undefined],
    ];
    let next = 0;
    return ProofServer.during(
      () => refusal(401, 'insufficient_user_authentication', { 'WWW-Authenticate': challenges[next]?.[0] ?? '' }),
      async (server) => {
        const phone = await server.phone();
        for (const [, requirement] of challenges) {
          const error = await errorOf(phone.ticket('t'));
          expect(error.action).to.equal('step_up');
          expect(error.requirement).to.deep.equal(
            requirement && { maxAge: undefined, acrValues: undefined, ...requirement },
          );
          next += 1;
        }
      },
    );
  });

  it('does not treat the answer of a captive portal or a proxy as an answer of the provider', () => {
    const replies: readonly Reply[] = [
      { body: '<h1>Welcome to our Wi-Fi</h1>' },
      { status: 502, body: 'Bad Gateway' },
      { status: 503, body: '<p>later</p>', headers: { 'Retry-After': 'Fri, 31 Dec 1999 23:59:59 GMT' } },
      { status: 200, body: 'null' },
      { status: 404, body: {} },
    ];
    let next = 0;
    return ProofServer.during(
      () => replies[next],
      async (server) => {
        const phone = await server.phone();
        for (const { status = 200 } of replies) {
          const error = await errorOf(phone.ticket('t'));
          expect(error).to.include({ code: 'wrong_answer', action: 'retry', status });
          expect(error.retryAfter).to.equal(undefined);
          next += 1;
        }
      },
    );
  });

  it('follows no redirect, so that the token and the proof go to no other server', () =>
    ProofServer.during(
      () => OK,
      async (elsewhere) => {
        await ProofServer.during(
          () => ({ status: 307, headers: { Location: `${elsewhere.issuer}/qr/api/tickets/t` }, body: '' }),
          async (server) => {
            expect(await errorOf((await server.phone()).ticket('t'))).to.include({ code: 'network', action: 'retry' });
          },
        );
        expect(elsewhere.requests).to.deep.equal([]);
      },
    ));

  it('fails if no server listens, or if the connection breaks', async () => {
    const signer = await memorySigner();
    const nothing = new Phone({ issuer: `http://localhost:${await freePort()}`, accessToken: 'a token', signer });
    const refused = await errorOf(nothing.ticket('t'));
    expect(refused).to.include({ code: 'network', action: 'retry' });
    expect(refused.cause).to.be.an('error');
    await ProofServer.during(
      ({ response }) => {
        response.writeHead(200, { 'Content-Type': 'application/json' });
        response.write('{"id":');
        response.destroy();
        return undefined;
      },
      async (server) => {
        expect(await errorOf((await server.phone()).ticket('t'))).to.include({ code: 'network', action: 'retry' });
      },
    );
  });

  it('ends after the time-out, before an answer or in the middle of an answer', async () => {
    const silent = createServer();
    const origin = await listen(silent);
    const signer = await memorySigner();
    const phone = new Phone({ issuer: origin, accessToken: 'a token', signer, timeout: 30 });
    const arrived = once(silent, 'connection');
    expect(await errorOf(phone.ticket('t'))).to.include({ code: 'timeout', action: 'retry' });
    const [socket] = await arrived;
    socket.destroy();
    silent.close();
    await ProofServer.during(
      ({ response }) => {
        response.writeHead(200, { 'Content-Type': 'application/json' });
        response.write('{"id":');
        return undefined;
      },
      async (server) => {
        const late = await server.phone({ timeout: 100 });
        expect(await errorOf(late.ticket('t'))).to.include({ code: 'timeout' });
      },
    );
  });

  it('does not count the time in which the user unlocks the key towards the time-out', async () => {
    const { publicJwk, sign } = await memorySigner();
    const signSlowly = async (bytes: Uint8Array): Promise<Uint8Array> => {
      await pause(10);
      return sign(bytes);
    };
    const fetch: Fetch = async (_url, { signal }) => {
      signal.throwIfAborted();
      return { status: 200, headers: new Headers(), text: async () => JSON.stringify(viewOf()) };
    };
    const signer = { publicJwk, sign: signSlowly };
    const phone = new Phone({ issuer: 'https://id.example', accessToken: 'a token', signer, fetch, timeout: 1 });
    expect((await phone.ticket('t')).id).to.equal('a-ticket');
  });

  it('ends with the reason of its signal if the signal is aborted', () =>
    ProofServer.during(
      () => undefined,
      async (server) => {
        const phone = await server.phone();
        const reason = new Error('the user has left');
        const outcome = (signal: AbortSignal): Promise<unknown> => phone.ticket('t', { signal }).catch((e) => e);
        expect(await outcome(AbortSignal.abort(reason))).to.equal(reason);
        expect(server.requests).to.have.length(0);
        const controller = new AbortController();
        const ended = outcome(controller.signal);
        await until(() => server.requests.length > 0);
        controller.abort(reason);
        expect(await ended).to.equal(reason);
      },
    ));

  it('ends with an error of the library if signals have no reason, as in React Native', async () => {
    const signer = await memorySigner();
    const phone = new Phone({ issuer: `http://${LOOPBACK}`, accessToken: 'a token', signer });
    const target = new EventTarget();
    const signal = Object.assign(target, { aborted: true }) as unknown as AbortSignal;
    expect(await phone.ticket('t', { signal }).catch((error: unknown) => error)).to.have.property('code', 'aborted');
  });
});

async function readWhole(response: Response): Promise<{ status: number; headers: Headers; text: string }> {
  return { status: response.status, headers: response.headers, text: await response.text() };
}
