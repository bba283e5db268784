import { expect } from 'chai';
import type { BrowserContext, FileChooser, Page } from 'playwright-core';
import { until } from '../support/until.ts';
import { approve, arriveAtConfirm, askToSignIn, codeOn } from './acts.ts';
import { draw } from './fake-camera.ts';
import { signedInPhone } from './phones.ts';
import { FOREIGN, waitForStatus } from './scan-acts.ts';
import { useStage } from './use-stage.ts';

const FOREIGN_TEXT = 'https://evil.example/qr/code';

describe('a code that the user pastes, drops or chooses as a photo', () => {
  const stage = useStage({ shortCode: true });

  const scanPage = async (prepare?: (context: BrowserContext) => Promise<unknown>): Promise<Page> => {
    const context = await signedInPhone(stage());
    await prepare?.(context);
    return stage().open(context, `${stage().issuer}/qr/scan`);
  };
  const newCode = async (): Promise<string> => codeOn(await askToSignIn(stage(), await stage().desktop()));

  it('opens its sign-in if it is a link of ours that is pasted by keys anywhere on the page', async () => {
    const page = await scanPage();
    await pasteText(page, FOREIGN_TEXT);
    await waitForStatus(page, FOREIGN);
    await pasteText(page, ` ${await newCode()}\n`);
    await arriveAtConfirm(page);
  });

  it('is pasted into the field if the field has the focus, unless the code is a link of ours', async () => {
    const page = await scanPage();
    const field = page.getByLabel('Backup code');
    await field.focus();
    expect(await pasteText(page, 'ABCD-EFGH')).to.equal(false);
    expect(await page.locator('#photo-says').textContent()).to.equal('');
    expect(await pasteText(page, await newCode())).to.equal(true);
    await arriveAtConfirm(page);
  });

  it('is read from a picture that was copied or dropped', async () => {
    const page = await scanPage();
    await give(page, 'paste', await draw(FOREIGN_TEXT));
    await waitForStatus(page, FOREIGN);
    await give(page, 'drop', await draw(await newCode()));
    await arriveAtConfirm(page);
    await approve(page);
  });

  it('can come from the clipboard after a press on Paste, as a link or as a picture', async () => {
    const page = await scanPage(async (context) => {
      await context.addInitScript(`navigator.clipboard.read = async () => {
        if (globalThis.copied === undefined) throw new DOMException('', 'NotAllowedError');
        return [{ types: [copied.type], getType: async () => copied }];
      }`);
    });
    const paste = page.getByRole('button', { name: 'Paste' });
    await paste.click();
    await waitForStatus(page, 'There was nothing to paste.');
    await page.evaluate(`globalThis.copied = new Blob([${JSON.stringify(FOREIGN_TEXT)}], { type: 'text/plain' })`);
    await paste.click();
    await waitForStatus(page, FOREIGN);
    await page.evaluate(`globalThis.copied = new Blob(['no picture'], { type: 'image/png' })`);
    await paste.click();
    await waitForStatus(page, 'This file cannot be read as a photo.');
    const picture = (await draw(await newCode())).toString('base64');
    await page.evaluate(`globalThis.copied = new Blob(
      [Uint8Array.from(atob('${picture}'), (c) => c.charCodeAt(0))], { type: 'image/png' })`);
    await paste.click();
    await arriveAtConfirm(page);
  });

  it('cannot be pasted by a button if the browser lets no page read the clipboard', async () => {
    const page = await scanPage((context) =>
      context.addInitScript(`Object.defineProperty(navigator, 'clipboard', { value: undefined })`),
    );
    await page.getByText('Choose a photo').waitFor();
    expect(await page.getByRole('button', { name: 'Paste' }).count()).to.equal(0);
  });

  it('can be chosen as a photo with the keyboard alone, with a visible focus', async () => {
    const page = await scanPage();
    await page.locator('#photo').focus();
    const outlines = await page.evaluate<string>(
      `getComputedStyle(document.querySelector('label[for=photo]')).outline`,
    );
    expect(outlines).to.match(/solid 3px/);
    // Bring the page to the front: Chromium opens the file dialog only in the window that has the focus.
    let chooser: FileChooser | undefined;
    page.once('filechooser', (opened) => {
      chooser = opened;
    });
    await until(async () => {
      await page.bringToFront();
      await page.locator('#photo').focus();
      if (chooser === undefined) await page.keyboard.press('Enter');
      return chooser !== undefined;
    });
    await chooser?.setFiles({ name: 'photo.png', mimeType: 'image/png', buffer: await draw(FOREIGN_TEXT) });
    await waitForStatus(page, FOREIGN);
  });
});

/** Pastes a text where the focus is. @returns true if the page has taken it */
function pasteText(page: Page, text: string): Promise<boolean> {
  return page.evaluate<boolean>(`{
    const clipboardData = new DataTransfer();
    clipboardData.setData('text/plain', ${JSON.stringify(text)});
    const event = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
    document.activeElement.dispatchEvent(event);
    event.defaultPrevented;
  }`);
}

/** Pastes or drops a picture. */
async function give(page: Page, how: 'paste' | 'drop', picture: Buffer): Promise<void> {
  await page.evaluate(`{
    const bytes = Uint8Array.from(atob('${picture.toString('base64')}'), (c) => c.charCodeAt(0));
    const given = new DataTransfer();
    given.items.add(new File([bytes], 'code.png', { type: 'image/png' }));
    const event = '${how}' === 'drop'
      ? new DragEvent('drop', { dataTransfer: given, bubbles: true, cancelable: true })
      : new ClipboardEvent('paste', { clipboardData: given, bubbles: true, cancelable: true });
    document.body.dispatchEvent(event);
  }`);
}
