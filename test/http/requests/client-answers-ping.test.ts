import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { deskClient } from '../../fixtures/test-client.ts';
import { ask, type DeskWorld, fetchTokens, phoneWithRequest, refusal, startWithDesk } from './requests.ts';

const RECEIVER = 'https://desk.example';
const TOKEN = 'a-token-that-the-client-has-chosen';

/** A notification as the client got it (CIBA Core 1.0, section 10.2). */
interface Ping {
  readonly authorization: string | undefined;
  readonly body: Record<string, unknown>;
}

describe('a client that asks without a browser and is notified', () => {
  let server: Server;
  let desk: DeskWorld;
  let pings: Ping[];
  let status: number;

  before(async () => {
    server = createServer((request, response) => {
      void read(request).then((ping) => {
        pings.push(ping);
        response.writeHead(status).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    desk = await startWithDesk({
      configuration: {
        // Acts as a proxy that ends TLS in front of the receiver, because oidc-provider notifies https addresses only.
        fetch: (url, { dispatcher: _guard, ...init } = {}) =>
          fetch(`${url}`.replace(RECEIVER, `http://127.0.0.1:${port}`), init),
      },
      clients: [
        deskClient('pinged', {
          backchannel_token_delivery_mode: 'ping',
          backchannel_client_notification_endpoint: `${RECEIVER}/ping`,
        }),
      ],
    });
  });

  beforeEach(() => {
    pings = [];
    status = 204;
  });

  after(async () => {
    await desk?.world.stop();
    await new Promise((resolve) => server.close(resolve));
  });

  const asPinged = (): ReturnType<typeof ask> => ask(desk.world, { client_notification_token: TOKEN }, 'pinged');

  it('is notified of the approval once, with its notification token, and can then fetch its tokens', async () => {
    const asked = await asPinged();
    const phone = await phoneWithRequest(desk.world);
    await phone.approve();
    await phone.approve();
    const { auth_req_id: authReqId } = asked.answer;
    expect(pings).to.deep.equal([{ authorization: `Bearer ${TOKEN}`, body: { auth_req_id: authReqId } }]);
    expect((await fetchTokens(asked)).access_token).to.be.a('string');
  });

  it('is notified after a denial, but learns only at the token endpoint that it was a denial', async () => {
    const asked = await asPinged();
    await (await phoneWithRequest(desk.world)).deny();
    expect(pings.map(({ body }) => body)).to.deep.equal([{ auth_req_id: asked.answer.auth_req_id }]);
    expect((await refusal(fetchTokens(asked))).error).to.equal('access_denied');
  });

  it('can still fetch its tokens if it refuses the notification, and the phone does not learn of that', async () => {
    status = 500;
    const told = desk.world.collectPayloads('qr_login.unnotified');
    const asked = await asPinged();
    const phone = await phoneWithRequest(desk.world);
    expect((await phone.approve()).json().state).to.equal('redeemed');
    expect(told).to.have.length(1);
    expect(told[0]).to.deep.include({ clientId: 'pinged' });
    expect((told[0] as { problem: string }).problem).to.include('500');
    expect((await fetchTokens(asked)).access_token).to.be.a('string');
  });

  it('must send a token for its notification', async () => {
    expect((await refusal(ask(desk.world, {}, 'pinged'))).error).to.equal('invalid_request');
  });
});

async function read(request: IncomingMessage): Promise<Ping> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return { authorization: request.headers.authorization, body: JSON.parse(Buffer.concat(chunks).toString('utf8')) };
}
