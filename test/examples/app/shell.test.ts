import { expect } from 'chai';
import { useApp } from './use-app.ts';

describe('the installed app', () => {
  const { stage, url, phone, open } = useApp();

  it('can be installed, and opens without a connection', async () => {
    const device = await phone({ serviceWorkers: 'allow' });
    const page = await open(device);
    const session = await device.newCDPSession(page);
    const { url: manifestUrl, errors, data } = await session.send('Page.getAppManifest');
    expect(errors).to.deep.equal([]);
    expect(manifestUrl).to.equal(`${url()}/manifest.webmanifest`);
    expect(JSON.parse(data ?? '')).to.include({ name: 'Example ID', display: 'standalone', start_url: '/' });
    const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
    expect(installabilityErrors).to.deep.equal([]);

    await page.evaluate('navigator.serviceWorker.ready.then(() => true)');
    await device.setOffline(true);
    await page.goto(`${url()}/account`);
    await page.getByRole('button', { name: 'Sign in with Example ID' }).click();
    await page.getByText('Example ID cannot be reached.').waitFor();
    stage().expectProblem(/ERR_INTERNET_DISCONNECTED/);
    expect(await page.evaluate(`import(${JSON.stringify(await decoder(url()))}).then(() => 'loaded')`)).to.equal(
      'loaded',
    );
  });

  it('caches only its own files, and never an answer of the provider', async () => {
    const device = await phone({ serviceWorkers: 'allow' });
    const page = await open(device);
    await page.evaluate('navigator.serviceWorker.ready.then(() => true)');
    const kept = await page.evaluate<string[]>(`(async () => {
      const caches_ = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
      const requests = await Promise.all(caches_.map((cache) => cache.keys()));
      return requests.flat().map(({ url }) => url);
    })()`);
    expect(kept).to.include(`${url()}/`).and.include(`${url()}/main.js`).and.include(`${url()}/texts/en.json`);
    expect(kept.filter((address) => !address.startsWith(`${url()}/`))).to.deep.equal([]);
  });

  it('has a strict policy: only its own scripts, the provider as the only other site, and no framing', async () => {
    for (const path of ['/', '/qr/some-code', '/main.js', '/service-worker.js']) {
      const answer = await fetch(url() + path);
      expect(answer.status).to.equal(200);
      const policy = answer.headers.get('content-security-policy')?.split('; ') ?? [];
      expect(policy).to.include.members([
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        `connect-src 'self' ${stage().issuer}`,
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
      ]);
      expect(policy.join()).to.not.include('unsafe');
      expect(answer.headers.get('referrer-policy')).to.equal('no-referrer');
    }
  });

  it('answers other paths with 404, and other methods with 405', async () => {
    for (const path of ['/other', '/qr/', '/../package.json', '/build.ts', '/constructor']) {
      expect((await fetch(url() + path)).status, path).to.equal(404);
    }
    expect((await fetch(url(), { method: 'POST' })).status).to.equal(405);
  });
});

/** Returns the path of the decoder's script, which the app loads only when it needs it. */
async function decoder(origin: string): Promise<string> {
  const worker = await (await fetch(`${origin}/service-worker.js`)).text();
  return /\/decoder-[\w-]+\.js/.exec(worker)?.[0] ?? '';
}
