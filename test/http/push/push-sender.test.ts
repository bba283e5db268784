import { expect } from 'chai';
import { PushSender } from '../../../src/http/push/push-sender.ts';
import { PUSH_HOST, PushService } from '../../support/push-service.ts';
import { makeVapid } from './pushing.ts';

describe('a sender of push messages', () => {
  async function destinationAt(
    service: PushService,
    host: string = PUSH_HOST,
  ): Promise<Parameters<PushSender['send']>[0]> {
    const { json, path } = await service.subscribe();
    const { keys } = JSON.parse(json);
    const [p256dh, auth] = [keys.p256dh, keys.auth].map((key) => Buffer.from(`${key}`, 'base64url'));
    if (p256dh === undefined || auth === undefined) throw new Error('there are no keys');
    return { endpoint: new URL(`https://${host}${path}`), p256dh, auth };
  }

  async function refusal(sending: Promise<unknown>): Promise<string> {
    return sending.then(String, (error: Error) => error.message);
  }

  it('makes messages of the same length, that no two are alike, and refuses a text that is too long', async () => {
    const service = await PushService.start();
    const sender = new PushSender({ vapid: makeVapid(), hosts: [PUSH_HOST], agent: service.agent() });
    const destination = await destinationAt(service);
    for (const text of ['', 'a', 'a', 'x'.repeat(255)])
      expect(await sender.send(destination, text, 30)).to.equal('taken');
    expect(service.messages.map(({ text }) => text)).to.deep.equal(['', 'a', 'a', 'x'.repeat(255)]);
    expect(new Set(service.messages.map(({ bytes }) => bytes.length)).size).to.equal(1);
    expect(new Set(service.messages.map(({ bytes }) => `${bytes.toString('hex')}`)).size).to.equal(4);
    expect(await refusal(sender.send(destination, 'x'.repeat(256), 30))).to.equal('the message is too long');
    await service.stop();
  });

  it('does not follow a redirect, and does not read the body of an answer', async () => {
    const service = await PushService.start();
    const sender = new PushSender({ vapid: makeVapid(), hosts: [PUSH_HOST], agent: service.agent() });
    service.status = 307;
    service.location = `https://${PUSH_HOST}/elsewhere`;
    expect(await refusal(sender.send(await destinationAt(service), 'a', 30))).to.include('answered 307');
    expect(service.requests).to.equal(1);
    await service.stop();
  });

  // The attacks on a server that sends requests for others (OWASP ASVS 5.0, V13.2.4), each with its weak twin.
  it('connects to no address of its own network, whatever the name of the host resolves to', async () => {
    const service = await PushService.start();
    const sender = new PushSender({ vapid: makeVapid(), hosts: ['localhost'] });
    expect(await refusal(sender.send(await destinationAt(service, 'localhost'), 'a', 30))).to.equal(
      'localhost has an address that is not public',
    );
    // The weak twin: an agent of the deployment's own connects wherever it likes.
    const weak = new PushSender({ vapid: makeVapid(), hosts: ['localhost', PUSH_HOST], agent: service.agent() });
    expect(await weak.send(await destinationAt(service), 'a', 30)).to.equal('taken');
    await service.stop();
  });

  it('sends to no host that is not in the list of push services, and ends the subscription there', async () => {
    const service = await PushService.start();
    const settings = { vapid: makeVapid(), agent: service.agent() };
    const sender = new PushSender({ ...settings, hosts: ['*.push.example'] });
    expect(await sender.send(await destinationAt(service), 'a', 30)).to.equal('gone');
    expect(service.requests).to.equal(0);
    expect(sender.readEndpoint('https://a.b.push.example/x')?.host).to.equal('a.b.push.example');
    for (const host of ['push.example', 'xpush.example', 'push.example.evil.example', '127.0.0.1', '[::1]'])
      expect(sender.readEndpoint(`https://${host}/x`), host).to.equal(undefined);
    // The weak twin: with the host on the list, the same message arrives.
    expect(
      await new PushSender({ ...settings, hosts: [PUSH_HOST] }).send(await destinationAt(service), 'a', 30),
    ).to.equal('taken');
    await service.stop();
  });
});
