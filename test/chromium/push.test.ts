import { Agent } from 'node:https';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { assessByDefault } from '../../src/index.ts';
import { makeVapid } from '../http/push/pushing.ts';
import { PUSH_HOST, PushService } from '../support/push-service.ts';
import { allow, approve, askToSignIn, checkCodeOn, seeScreen, waitForYes } from './acts.ts';
import { scan, signedInPhone } from './phones.ts';
import { useStage } from './use-stage.ts';

let service: PushService;

const NOTIFICATION = { title: 'A request is waiting', body: 'Open it and check the details.' };

/** An agent that reaches the push service, which starts after the options are made. */
const agent = Object.assign(new Agent(), { createConnection: () => service.connect() });

describe('a notification about a request, in Chromium', () => {
  before(async () => {
    service = await PushService.start();
  });

  after(() => service.stop());

  const stage = useStage({
    assess: assessByDefault,
    askPhone: {},
    push: { vapid: makeVapid(), hosts: [PUSH_HOST], agent },
  });

  /** Opens the list of browsers, and presses "Notify this phone". The push service of the test takes its part. */
  async function subscribe(phone: Page): Promise<void> {
    await phone.context().grantPermissions(['notifications'], { origin: stage().issuer });
    const { json } = await service.subscribe();
    // Chromium without a window has no push service: `subscribe()` rejects with "Registration failed - push service not
    // available". All but this call is the real one.
    await phone.addInitScript(`PushManager.prototype.subscribe = async (options) => {
      globalThis.asked = [options.userVisibleOnly, options.applicationServerKey.length];
      return ${json};
    }`);
    await phone.goto(`${stage().issuer}/qr/devices`);
    await phone.getByRole('button', { name: 'Notify this phone' }).click();
    await phone.locator('[data-notified]').waitFor();
  }

  /**
   * Delivers a message to the service worker, as the push service would.
   * @returns the notification that it shows, and the address that a tap on it opens
   */
  async function deliver(phone: Page, data: string): Promise<unknown> {
    const context = phone.context();
    const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent('serviceworker'));
    // Chromium without a window shows no notifications: "No notification permission has been granted for this origin".
    await worker.evaluate(`
      globalThis.shown = new Promise((resolve) => {
        registration.showNotification = async (title, { body, data }) => resolve({ title, body, data });
      });
      globalThis.opened = new Promise((resolve) => {
        clients.openWindow = async (url) => resolve(url);
      });
      undefined;`);
    const devTools = await context.newCDPSession(phone);
    const registered = new Promise<string>((resolve) =>
      devTools.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
        const ours = registrations.find(({ scopeURL }) => scopeURL === `${stage().issuer}/qr/`);
        if (ours !== undefined) resolve(ours.registrationId);
      }),
    );
    await devTools.send('ServiceWorker.enable');
    const registrationId = await registered;
    await devTools.send('ServiceWorker.deliverPushMessage', { origin: stage().issuer, registrationId, data });
    return worker.evaluate(`shown.then(async ({ title, body, data }) => {
      const tap = Object.assign(new ExtendableEvent('notificationclick'), { notification: { data, close() {} } });
      dispatchEvent(tap);
      return { title, body, opens: await opened };
    })`);
  }

  it('leads to the request: both sides, from the button on the phone to the sign-in of the browser', async () => {
    const desktop = await stage().desktop();
    const first = await askToSignIn(stage(), desktop);
    const scanner = await scan(stage(), first);
    await scanner.getByLabel('Keep me signed in on that device').check();
    await approve(scanner);
    await first.getByLabel('6-digit number').fill(await checkCodeOn(scanner));
    await allow(first);
    await desktop.clearCookies({ name: /^_session/ });

    const phone = await (await signedInPhone(stage())).newPage();
    await subscribe(phone);
    const told = service.next();
    const screen = await askToSignIn(stage(), desktop);
    await screen.getByRole('button', { name: 'Ask my phone' }).click();
    await seeScreen(screen, 'asked');
    await told;
    const { text } = service.messages.at(-1) ?? { text: '' };
    const { url } = JSON.parse(text);
    expect(await deliver(phone, text)).to.deep.equal({ ...NOTIFICATION, opens: new URL(url, stage().issuer).href });
    await phone.goto(new URL(url, stage().issuer).href);
    await waitForYes(phone);
    await seeScreen(screen, 'scanned');
    const number = (await screen.locator('[data-number] strong').textContent()) ?? '';
    await phone.getByLabel('Which number is on the other device?').fill(number);
    await phone.getByRole('button', { name: 'Yes, sign in' }).click();
    expect((await allow(screen)).sub).to.equal('a11ce');
  });

  it('leads to the list for any message that names no request of this provider', async () => {
    const phone = await (await signedInPhone(stage())).newPage();
    await subscribe(phone);
    const message = JSON.stringify({ url: 'https://attacker.example/qr/requests/x' });
    expect(await deliver(phone, message)).to.deep.equal({ ...NOTIFICATION, opens: `${stage().issuer}/qr/devices` });
  });

  it('is asked for by a press of a button alone, and a phone without a push service is told so', async () => {
    const phone = await (await signedInPhone(stage())).newPage();
    await phone.goto(`${stage().issuer}/qr/devices`);
    await phone.getByRole('button', { name: 'Notify this phone' }).waitFor();
    expect(await phone.evaluate('navigator.serviceWorker.getRegistrations().then((all) => all.length)')).to.equal(0);
    await phone.getByRole('button', { name: 'Notify this phone' }).click();
    await phone.getByText('This phone cannot be notified.').waitFor();
  });
});
