import { expect } from 'chai';
import { StillClock } from '../../support/clock.ts';
import { BrowserPerson, World } from '../../support/world.ts';

const NO_COOKIES = 'This page needs cookies, and your browser sent none.';
const OTHER_BROWSER = 'This sign-in has timed out, or it was started in another browser.';

describe('a browser that opens its interaction without any cookie', () => {
  let world: World;
  let clock: StillClock;
  let at: URL;

  beforeEach(async () => {
    clock = new StillClock();
    world = await World.start({ clock });
    const browser = new BrowserPerson(world);
    await browser.start();
    at = new URL(browser.at);
  });

  afterEach(() => world?.stop());

  const open = (url: URL, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(url, { redirect: 'manual', headers: { accept: 'text/html', 'sec-fetch-dest': 'document', ...headers } });
  const next = (answer: Response): URL => new URL(answer.headers.get('location') ?? '', at);
  const cookiesIn = (answer: Response): string =>
    answer.headers
      .getSetCookie()
      .map((cookie) => cookie.split(';')[0])
      .join('; ');

  it('is told that cookies are needed if it accepts none', async () => {
    const tested = await open(at);
    expect(tested.status).to.equal(303);
    expect(next(tested).pathname).to.equal(at.pathname);
    const page = await open(next(tested));
    expect(page.status).to.equal(404);
    expect(await page.text())
      .to.include(NO_COOKIES)
      .and.not.to.include(OTHER_BROWSER);
  });

  it('is told that the sign-in belongs to another browser if it accepts cookies', async () => {
    const tested = await open(at);
    const [sample] = tested.headers.getSetCookie();
    expect(sample)
      .to.match(/^_qr_test=/)
      .and.include(`path=${at.pathname};`)
      .and.include('httponly');
    const page = await open(next(tested), { cookie: cookiesIn(tested) });
    expect(page.status).to.equal(404);
    expect(await page.text())
      .to.include(OTHER_BROWSER)
      .and.not.to.include(NO_COOKIES);
  });

  it('is tested again if the result in the address is old or belongs to another browser', async () => {
    const address = next(await open(at));
    expect((await open(address, { 'user-agent': 'another browser' })).status).to.equal(303);
    expect((await open(new URL('?cookies=made-up', at))).status).to.equal(303);
    clock.forward(25);
    expect((await open(address)).status).to.equal(303);
  });

  it('is not tested if the request does not open a page', async () => {
    for (const headers of [{}, { 'sec-fetch-dest': 'empty' }]) {
      const answer = await fetch(at, { redirect: 'manual', headers: { accept: 'application/json', ...headers } });
      expect(answer.status).to.equal(404);
      expect(await answer.json())
        .to.include({ error: 'no_interaction' })
        .and.not.have.property('reason');
    }
  });
});
