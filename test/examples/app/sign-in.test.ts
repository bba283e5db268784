import { expect } from 'chai';
import { decodeProtectedHeader } from 'jose';
import type { Request } from 'playwright-core';
import { readRecords } from './records.ts';
import { signIn, useApp } from './use-app.ts';

describe('the app', () => {
  const { stage, url, phone, open, openSignedIn } = useApp();

  it('signs in with PKCE, and gets tokens that are bound to a non-extractable key', async () => {
    const page = await open(await phone());
    const requests: Request[] = [];
    page.on('request', (request) => requests.push(request));
    await signIn(page);
    await page.getByRole('heading', { name: 'Scan to sign in' }).waitFor();
    expect(new URL(page.url()).pathname + new URL(page.url()).search).to.equal('/');

    const at = (path: string): Request[] =>
      requests.filter((request) => request.url().startsWith(`${stage().issuer}${path}`));
    const asked = new URL(at('/auth?')[0]?.url() ?? '').searchParams;
    expect(asked.get('code_challenge_method')).to.equal('S256');
    expect(asked.get('scope')?.split(' ')).to.include('qr_login');
    expect(asked.get('dpop_jkt')).to.match(/^[\w-]{43}$/);
    const [exchange] = at('/token').filter((request) => request.method() === 'POST');
    const answer: { token_type: string } = await (await exchange?.response())?.json();
    expect(answer.token_type).to.equal('DPoP');

    const { tokens, extractable, jwk, exported } = await readRecords(page);
    expect(tokens?.name).to.equal('Alice Liddell');
    expect(extractable).to.equal(false);
    expect(exported).to.equal('InvalidAccessError');
    const proof = decodeProtectedHeader((await exchange?.allHeaders())?.dpop ?? '');
    expect(proof.jwk).to.deep.include({ x: jwk?.x });
  });

  it('stays signed in with the same key after a reload, and in another window', async () => {
    const device = await phone();
    const page = await openSignedIn(device);
    const before = await readRecords(page);
    await page.reload();
    await page.getByRole('heading', { name: 'Scan to sign in' }).waitFor();
    const another = await open(device, '/account');
    await another.getByText('Alice Liddell').waitFor();
    expect(await readRecords(another)).to.deep.equal(before);
  });

  it('can sign in again after a denied consent, and then continues at the path that was opened', async () => {
    const page = await open(await phone(), '/account');
    await page.getByRole('button', { name: 'Sign in with Example ID' }).click();
    await page.locator('#name').fill('alice');
    await page.locator('#password').fill('wonderland');
    await page.locator('form:has(#password) button').click();
    await page.getByRole('button', { name: 'Decline' }).click();
    await page.getByText('You were not signed in. Try again.').waitFor();
    expect((await readRecords(page)).tokens).to.equal(undefined);

    await page.goto(`${url()}/account`);
    await signIn(page);
    await page.getByRole('heading', { name: 'Your account' }).waitFor();
    expect(new URL(page.url()).pathname).to.equal('/account');
  });

  it('refuses the answer to a sign-in that this device has not started', async () => {
    const page = await open(await phone(), `/signed-in?code=stolen&state=foreign&iss=${stage().issuer}`);
    await page.getByText('You were not signed in. Try again.').waitFor();
    expect(new URL(page.url()).pathname).to.equal('/');
  });

  it('signs out: the provider revokes its grant, and the key and the tokens are gone', async () => {
    const page = await openSignedIn(await phone());
    const { tokens } = await readRecords(page);
    await page.getByRole('link', { name: 'Account' }).click();
    await page.getByRole('button', { name: 'Sign out of this app' }).click();
    await page.getByText('You are signed out of this app.').waitFor();
    expect(Object.values(await readRecords(page)).filter((record) => record !== undefined)).to.deep.equal([]);
    expect(await page.getByRole('navigation').count()).to.equal(0);

    const refreshed = await fetch(`${stage().issuer}/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: tokens?.refreshToken ?? '',
        client_id: 'app',
      }),
    });
    expect(await refreshed.json()).to.include({ error: 'invalid_grant' });
  });

  it('offers to end the session at the provider, too', async () => {
    const page = await openSignedIn(await phone());
    await page.getByRole('link', { name: 'Account' }).click();
    await page.getByRole('button', { name: 'Sign out of this app' }).click();
    await page.getByRole('link', { name: 'Also sign out of Example ID in this browser' }).click();
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.getByRole('button', { name: 'Sign in with Example ID' }).waitFor();
    expect(page.url()).to.equal(`${url()}/`);
  });
});
