/** Tests phones whose connection breaks after a request was delivered. */
import type { Server } from 'node:http';
import { expect } from 'chai';
import type { BrowserContext, Page } from 'playwright-core';
import { type Fixture, makeProvider } from '../fixtures/provider.ts';
import { makeRp, rpClient } from '../fixtures/rp.ts';
import { CuttingProxy } from '../support/cutting-proxy.ts';
import { inFullSuite } from '../support/full-suite.ts';
import { allow, arriveAtConfirm, askToSignIn, checkCodeOn, codeOn, pressYes, seeScreen } from './acts.ts';
import { scan, signedInPhone } from './phones.ts';
import type { Setting } from './stage.ts';
import { useStage } from './use-stage.ts';

/**
 * A keep-alive time that is long enough for connections to stay open until the press of a button, even on a busy
 * machine.
 */
const KEPT_OPEN_MS = 120_000;

const SETTING: Setting = {
  rpClient,
  makeRp,
  makeProvider: async (options): Promise<Fixture> => {
    const fixture = await makeProvider(options);
    fixture.provider.middleware.unshift(async (ctx, next) => {
      const { server } = ctx.req.socket as typeof ctx.req.socket & { server: Server };
      server.keepAliveTimeout = KEPT_OPEN_MS;
      await next();
    });
    return fixture;
  },
};

/** An act of the user whose answer is lost. */
interface Act {
  readonly name: string;
  /** Brings the phone to the page of the act. */
  readonly come: (phone: BrowserContext, screen: Page) => Promise<Page>;
  readonly act: (page: Page, screen: Page) => Promise<unknown>;
  /** Waits for the page that the phone shows afterwards, and for the effects of the act. */
  readonly expectDone: (page: Page, screen: Page) => Promise<void>;
}

describe('a phone that gets no answer to', () => {
  const stage = useStage({ assess: () => 'check code' }, {}, SETTING);

  const scanOnPhone = (phone: BrowserContext, screen: Page): Promise<Page> => scan(stage(), screen, phone);

  const ACTS: readonly Act[] = [
    {
      name: 'its scan',
      come: (phone) => stage().open(phone, `${stage().issuer}/qr/scan`),
      act: async (page, screen) => page.goto(await codeOn(screen)),
      expectDone: async (page, screen) => {
        await arriveAtConfirm(page);
        await seeScreen(screen, 'scanned');
      },
    },
    {
      name: 'Approve',
      come: scanOnPhone,
      act: pressYes,
      expectDone: async (page, screen) => {
        await page.waitForSelector('.check-code');
        await seeScreen(screen, 'check-code');
        await screen.getByLabel('6-digit number').fill(await checkCodeOn(page));
        expect((await allow(screen)).sub).to.equal('a11ce');
      },
    },
    {
      name: 'Deny',
      come: scanOnPhone,
      act: (page) => page.getByRole('button', { name: 'No, decline' }).click(),
      expectDone: async (page) => {
        await page.getByRole('heading', { name: 'Declined', exact: true }).waitFor();
      },
    },
    {
      name: 'its report',
      come: scanOnPhone,
      act: (page) => page.getByRole('button', { name: 'I did not start this' }).click(),
      expectDone: async (page) => {
        await page.getByRole('heading', { name: 'Declined and reported' }).waitFor();
      },
    },
  ];

  /** Brings a phone that reaches the provider through a proxy to the page of the act. */
  async function comeThroughProxy({ come }: Act): Promise<{ proxy: CuttingProxy; page: Page; screen: Page }> {
    const proxy = await CuttingProxy.start(Number(new URL(stage().issuer).port));
    stage().atEnd(() => proxy.stop());
    const screen = await askToSignIn(stage(), await stage().desktop());
    const through = { server: `http://127.0.0.1:${proxy.port}`, bypass: '<-loopback>' };
    return { proxy, page: await come(await signedInPhone(stage(), { proxy: through }), screen), screen };
  }

  for (const act of ACTS) {
    it(`${act.name} shows the usual page after the page has sent the request again`, async () => {
      stage().expectProblem(/ERR_/);
      const { proxy, page, screen } = await comeThroughProxy(act);
      proxy.cutAnswers(1);
      await act.act(page, screen);
      await act.expectDone(page, screen);
      expect(proxy.cut).to.equal(1);
    });

    const reloads = (): unknown =>
      it(`${act.name} shows the usual page after the user has reloaded the page`, async () => {
        stage().expectProblem(/ERR_/);
        const { proxy, page, screen } = await comeThroughProxy(act);
        proxy.cutAnswers(Number.POSITIVE_INFINITY);
        await act.act(page, screen);
        await page.waitForFunction(`location.protocol === 'chrome-error:' && document.readyState === 'complete'`);
        proxy.cutAnswers(0);
        await page.reload();
        await act.expectDone(page, screen);
        expect(proxy.cut).to.be.above(0);
      });
    /** The page follows its ticket, so that it learns of the act by another request. */
    const follows = (): unknown =>
      it(`${act.name} shows the usual page although no answer arrives`, async () => {
        stage().expectProblem(/ERR_/);
        const { proxy, page, screen } = await comeThroughProxy(act);
        proxy.cutAnswers(Number.POSITIVE_INFINITY);
        await act.act(page, screen);
        await act.expectDone(page, screen);
        expect(proxy.cut).to.be.above(0);
      });
    if (act.name === 'Approve') follows();
    else inFullSuite(act.name === 'its scan' ? reloads : follows);
  }
});
