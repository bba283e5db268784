import { expect } from 'chai';
import { allOrFirst, inFullSuite } from '../support/full-suite.ts';
import { LOOKING, seeFrames, startButton, turn, until, waitForStatus } from './scan-acts.ts';
import { useCamera } from './use-camera.ts';
import { useStage } from './use-stage.ts';

const START_HAS_FOCUS = `document.activeElement === document.querySelector('[data-start]')`;
/** Puts two cameras into the list of devices, and counts how often the page asks for a camera. */
const TWO_CAMERAS = `
  globalThis.asked = 0;
  const devices = navigator.mediaDevices;
  devices.enumerateDevices = async () => ['wide', 'near'].map((deviceId) => ({ kind: 'videoinput', deviceId }));
  const ask = devices.getUserMedia.bind(devices);
  devices.getUserMedia = (wanted) => { asked++; return ask(wanted); };`;

describe('the camera in the page', () => {
  const stage = useStage();
  const { camera, newPhone, phone, scanUrl, scanPage } = useCamera(stage);

  it('is requested only after a press on the button if the user has not allowed it before', async () => {
    camera().seeNothing();
    const context = await newPhone();
    await context.addInitScript(`{
      const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = (wanted) => new Promise((resolve) => {
        globalThis.allow = () => ask(wanted).then(resolve);
      });
    }`);
    const page = await stage().open(context, scanUrl());
    await startButton(page).click();
    await waitForStatus(page, 'Allow this page to use the camera.');
    expect(await page.locator('video').isVisible()).to.equal(false);
    await context.grantPermissions(['camera']);
    await page.evaluate('allow()');
    await waitForStatus(page, LOOKING);
    expect(await startButton(page).isVisible()).to.equal(false);
  });

  it('starts automatically once the user allows it in the settings of the browser', async () => {
    camera().seeNothing();
    const context = await newPhone();
    await context.grantPermissions([]);
    const page = await stage().open(context, scanUrl());
    await waitForStatus(page, 'This page may not use the camera. Allow it in the settings of this browser');
    await startButton(page).click();
    await waitForStatus(page, 'This page may not use the camera.');
    expect(await startButton(page).isVisible()).to.equal(true);
    await context.grantPermissions(['camera']);
    await waitForStatus(page, LOOKING);
  });

  it('stops while the page is hidden, and offers no light and no other camera if the device has none', async () => {
    camera().seeNothing();
    const page = await scanPage();
    await waitForStatus(page, LOOKING);
    expect(await page.getByRole('button', { name: /Light|Other camera/ }).count()).to.equal(0);
    await page.evaluate(`globalThis.track = document.querySelector('video').srcObject.getTracks()[0]`);
    expect(await page.evaluate('track.readyState')).to.equal('live');
    await turn(page, 'hidden');
    expect(await page.evaluate('track.readyState')).to.equal('ended');
    expect(await page.evaluate(`document.querySelector('video').srcObject`)).to.equal(null);
    await turn(page, 'visible');
    await until(page, `document.querySelector('video').srcObject?.getTracks()[0].readyState === 'live'`);
    await waitForStatus(page, LOOKING);
  });

  it('does not start for a page that was hidden while the browser asked the user', async () => {
    const context = await phone();
    await context.addInitScript(`{
      const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = (wanted) => new Promise((resolve) => {
        globalThis.allow = async () => { globalThis.stream = await ask(wanted); resolve(stream); };
      });
    }`);
    const page = await stage().open(context, scanUrl());
    await until(page, `'allow' in globalThis`);
    await turn(page, 'hidden');
    await page.evaluate('allow()');
    expect(await page.evaluate('stream.getTracks()[0].readyState')).to.equal('ended');
    expect(await page.locator('video').isVisible()).to.equal(false);
  });

  it('can be started again after the system has stopped it', async () => {
    camera().seeNothing();
    const page = await scanPage();
    await waitForStatus(page, LOOKING);
    await page.evaluate(`document.querySelector('video').srcObject.getTracks()[0].dispatchEvent(new Event('ended'))`);
    await waitForStatus(page, 'The camera has stopped.');
    await startButton(page).click();
    await waitForStatus(page, LOOKING);
    expect(await page.evaluate<boolean>(`document.activeElement.contains(document.querySelector('video'))`)).to.equal(
      true,
    );
    await page.evaluate(`document.querySelector('video').srcObject.getTracks()[0].dispatchEvent(new Event('ended'))`);
    await until(page, START_HAS_FOCUS);
  });

  it('returns the focus to the button if it does not start, unless the user has moved the focus', async () => {
    const context = await phone();
    await context.addInitScript(`
      navigator.mediaDevices.getUserMedia = () => new Promise((resolve, reject) => {
        globalThis.fail = () => { delete globalThis.fail; reject(new DOMException('', 'AbortError')); };
      });`);
    const page = await stage().open(context, scanUrl());
    const fail = async (): Promise<void> => {
      await until(page, `'fail' in globalThis && document.activeElement !== document.querySelector('[data-start]')`);
      await page.evaluate('fail()');
      await waitForStatus(page, 'The camera has stopped.');
    };
    await fail();
    await startButton(page).press('Enter');
    await fail();
    await until(page, START_HAS_FOCUS);
    await page.keyboard.press('Enter');
    await page.getByLabel('choose a photo').focus();
    await fail();
    expect(await page.evaluate<string>('document.activeElement.id')).to.equal('photo');
  });

  it('offers the light and the other camera of a device that has them', async () => {
    camera().seeNothing();
    const context = await phone();
    await context.addInitScript(`
      globalThis.asked = [];
      globalThis.lights = [];
      const { prototype } = MediaStreamTrack;
      prototype.getCapabilities = () => ({ torch: true });
      prototype.getSettings = () => ({ deviceId: asked.at(-1) });
      prototype.applyConstraints = async ({ advanced }) => { lights.push(advanced[0].torch); };
      const devices = navigator.mediaDevices;
      devices.enumerateDevices = async () => [
        { kind: 'videoinput', deviceId: 'wide' }, { kind: 'audioinput', deviceId: 'ear' }, { kind: 'videoinput', deviceId: 'near' },
      ];
      const ask = devices.getUserMedia.bind(devices);
      devices.getUserMedia = ({ video }) => {
        asked.push(video.deviceId ?? (video.facingMode === 'environment' ? 'wide' : 'front'));
        return ask({ video: true });
      };`);
    const page = await stage().open(context, scanUrl());
    const light = page.getByRole('button', { name: 'Light' });
    const other = page.getByRole('button', { name: 'Other camera' });
    await light.click();
    await page.locator('[data-torch][aria-pressed=true]').waitFor();
    await light.click();
    await page.locator('[data-torch][aria-pressed=false]').waitFor();
    expect(await page.evaluate('lights')).to.deep.equal([true, false]);
    await light.click();
    await other.click();
    await until(page, `asked.length === 2 && document.querySelector('video').srcObject !== null`);
    await page.locator('[data-torch][aria-pressed=false]').waitFor();
    expect(await page.evaluate('asked')).to.deep.equal(['wide', 'near']);
    await waitForStatus(page, LOOKING);
    await turn(page, 'hidden');
    await turn(page, 'visible');
    await waitForStatus(page, LOOKING);
    await other.click();
    await until(page, `asked.length === 4`);
    expect(await page.evaluate('asked')).to.deep.equal(['wide', 'near', 'near', 'wide']);
  });

  inFullSuite(() =>
    it('does not start for a page that was hidden while the cameras were listed', async () => {
      camera().seeNothing();
      const context = await phone();
      await context.addInitScript(TWO_CAMERAS);
      const page = await stage().open(context, scanUrl());
      await page.getByRole('button', { name: 'Other camera' }).waitFor();
      await page.evaluate(`{
      const list = navigator.mediaDevices.enumerateDevices;
      navigator.mediaDevices.enumerateDevices = () => new Promise((resolve) => {
        globalThis.answer = () => resolve(list());
      });
    }`);
      await page.getByRole('button', { name: 'Other camera' }).click();
      await until(page, `'answer' in globalThis`);
      await turn(page, 'hidden');
      await page.evaluate('answer()');
      // Waits until the page's script has continued with this answer.
      await page.evaluate('new Promise((resolve) => setTimeout(resolve))');
      expect(await page.evaluate('asked')).to.equal(1);
      expect(await page.evaluate(`document.querySelector('video').srcObject`)).to.equal(null);
      await turn(page, 'visible');
      await waitForStatus(page, LOOKING);
      await until(page, `asked === 2 && document.querySelector('video').srcObject !== null`);
    }),
  );

  for (const [how, answer] of allOrFirst([
    ['never lists the devices', 'new Promise(() => {})'],
    ['refuses to list the devices', `Promise.reject(new DOMException('', 'InvalidStateError'))`],
  ])) {
    it(`looks for codes, and offers no other camera, in a browser that ${how}`, async () => {
      camera().seeNothing();
      const context = await phone();
      await context.addInitScript(`navigator.mediaDevices.enumerateDevices = () => ${answer};`);
      const page = await stage().open(context, scanUrl());
      await waitForStatus(page, LOOKING);
      await seeFrames(page, 2);
      expect(await page.getByRole('button', { name: 'Other camera' }).count()).to.equal(0);
    });
  }

  it('shows a text for each error, and tries again after a press', async () => {
    const context = await phone();
    camera().seeNothing();
    await context.addInitScript(`
      globalThis.errors = ['NotReadableError', 'OverconstrainedError', 'NotAllowedError', 'AbortError'];
      const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (wanted) => {
        if (errors.length > 0) throw new DOMException('', errors.shift());
        return ask(wanted);
      };`);
    const page = await stage().open(context, scanUrl());
    for (const text of [
      'Another app is using the camera.',
      'There is no camera here.',
      'This page may not use the camera.',
      'The camera has stopped.',
    ]) {
      await waitForStatus(page, text);
      await startButton(page).click();
    }
    await waitForStatus(page, LOOKING);
  });

  it('shows that a script did not load, and reloads the page after a press', async () => {
    stage().expectProblem(/ERR_FAILED/);
    const context = await phone();
    await context.route('**/decoder.js', (route) => route.abort());
    const page = await stage().open(context, scanUrl());
    await waitForStatus(page, 'Part of this page did not load.');
    expect(await page.locator('video').isVisible()).to.equal(false);
    await context.unroute('**/decoder.js');
    await startButton(page).click();
    await waitForStatus(page, LOOKING);
  });
});
