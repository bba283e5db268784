import { BrowserVisitor, PhoneVisitor } from './visitors.ts';

/**
 * Signs in by QR at a running provider of the quick start, over HTTP alone, up to the consent page.
 * @throws Error if a page, a script or a step is missing
 */
export async function signInAt(issuer: string): Promise<void> {
  const site = { issuer, client: { id: 'demo', secret: '', callback: '' } };
  const [browser, phone] = [new BrowserVisitor(site), new PhoneVisitor(site)];
  const redirect_uri = 'http://localhost:3001/callback';
  const pkce = { code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' };
  const request = { client_id: 'demo', response_type: 'code', scope: 'openid', redirect_uri, ...pkce };
  const page = await browser.agent.follow(`${issuer}/auth?${new URLSearchParams(request)}`);
  browser.at = page.url.href;
  const assets = [...page.text.matchAll(/(?:src|href)="([^"]*\.(?:js|css|svg|png)[^"]*)"/g)].map(([, url]) => `${url}`);
  if (assets.length < 2) throw new Error('the page has no script or no style');
  for (const asset of assets) {
    const { status } = await browser.agent.get(new URL(asset, page.url));
    if (status !== 200) throw new Error(`${asset} is answered with ${status}`);
  }
  const code = await browser.code();
  await phone.signInAt(code);
  await phone.scan(code);
  const { state, checkCode } = await phone.approve();
  if (state !== 'approved') throw new Error(`the ticket is ${state}`);
  const finished = await browser.finish(`${checkCode}`);
  if (finished.status !== 200) throw new Error(`finish is answered with ${finished.status}: ${finished.text}`);
}
