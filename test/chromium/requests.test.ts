import { expect } from 'chai';
import * as client from 'openid-client';
import type { Page } from 'playwright-core';
import type { NotifiedRequest } from '../../src/index.ts';
import { makeProvider } from '../fixtures/provider.ts';
import { makeRp, rpClient } from '../fixtures/rp.ts';
import { CLIENT_SECRET, DESK, deskClient } from '../fixtures/test-client.ts';
import { deny, waitForYes } from './acts.ts';
import { AXE, barriers } from './axe.ts';
import { signedInPhone } from './phones.ts';
import type { Setting } from './stage.ts';
import { useStage } from './use-stage.ts';

const MESSAGE = 'W4SC 1207';
const DESKTOP = { viewport: { width: 1366, height: 900 }, isMobile: false };

let notified: NotifiedRequest[] = [];

/** A provider with the desk of a call centre. */
const CALL_CENTRE: Setting = {
  rpClient,
  makeRp,
  makeProvider: (options) => makeProvider({ ...options, clients: [...options.clients, deskClient()] }),
};

const axe = async (page: Page): Promise<string[]> => {
  await page.addScriptTag({ path: AXE }).catch(() => undefined);
  return barriers(page);
};

describe('a request without a browser, on the phone', () => {
  const stage = useStage(
    {
      ciba: { findAccount: (hint) => (hint === 'alice' ? 'a11ce' : undefined) },
      notify: (_accountId, request) => void notified.push(request),
    },
    {},
    CALL_CENTRE,
  );

  beforeEach(() => {
    notified = [];
  });

  interface Asked {
    readonly configuration: client.Configuration;
    readonly answer: client.BackchannelAuthenticationResponse;
  }

  async function ask(): Promise<Asked> {
    const configuration = await client.discovery(new URL(stage().issuer), DESK, CLIENT_SECRET, undefined, {
      execute: [client.allowInsecureRequests],
    });
    const answer = await client.initiateBackchannelAuthentication(configuration, {
      scope: 'openid profile',
      login_hint: 'alice',
      binding_message: MESSAGE,
    });
    return { configuration, answer };
  }

  function fetchTokens({ configuration, answer }: Asked): ReturnType<typeof client.genericGrantRequest> {
    const { auth_req_id } = answer;
    return client.genericGrantRequest(configuration, 'urn:openid:params:grant-type:ciba', { auth_req_id });
  }

  for (const [where, options] of [
    ['a phone', {}],
    ['a desktop, in the dark', { ...DESKTOP, colorScheme: 'dark' as const }],
  ] as const) {
    it(`is found on the list, shown with its message, and approved, on ${where}`, async () => {
      const asked = await ask();
      const device = await signedInPhone(stage(), { bypassCSP: true, ...options });
      const phone = await stage().open(device, `${stage().issuer}/qr/devices`);
      await phone.getByRole('heading', { name: 'Waiting for you' }).waitFor();
      expect(await axe(phone)).to.deep.equal([]);
      await phone.getByRole('button', { name: 'Open the request of The desk' }).click();
      await phone.getByRole('heading', { name: 'The desk asks for your approval' }).waitFor();
      await phone.getByText(MESSAGE).waitFor();
      await phone.getByText('The same message must be shown where you asked.').waitFor();
      expect(await phone.getByRole('checkbox').count()).to.equal(0);
      expect(await axe(phone)).to.deep.equal([]);
      await waitForYes(phone);
      await phone.getByRole('button', { name: 'Yes, approve' }).click();
      await phone.getByRole('heading', { name: 'Approved', exact: true }).waitFor();
      expect(await axe(phone)).to.deep.equal([]);
      expect((await fetchTokens(asked)).claims()?.sub).to.equal('a11ce');
      await phone.goto(`${stage().issuer}/qr/devices`);
      expect(await phone.locator('[data-request]').count()).to.equal(0);
    });
  }

  it('opens by itself at the address of a notification, and ends on both sides when it is reported', async () => {
    const asked = await ask();
    const device = await signedInPhone(stage(), { bypassCSP: true });
    const phone = await stage().open(device, `${notified[0]?.url}`);
    await waitForYes(phone);
    await phone.getByRole('button', { name: 'I did not start this' }).click();
    await phone.getByRole('heading', { name: 'Declined and reported' }).waitFor();
    expect(await axe(phone)).to.deep.equal([]);
    const error = await fetchTokens(asked).catch((refused: unknown) => refused);
    expect(error).to.include({ error: 'access_denied' });
  });

  it('needs no script', async () => {
    const asked = await ask();
    const device = await signedInPhone(stage(), { javaScriptEnabled: false });
    const phone = await stage().open(device, `${notified[0]?.url}`);
    await phone.getByRole('button', { name: 'Continue' }).click();
    await phone.getByRole('button', { name: 'Yes, approve' }).click();
    await phone.getByRole('heading', { name: 'Approved', exact: true }).waitFor();
    expect((await fetchTokens(asked)).access_token).to.be.a('string');
  });

  it('says that another device of the account has opened it', async () => {
    await ask();
    const [first, second] = [await signedInPhone(stage()), await signedInPhone(stage())];
    const here = await stage().open(first, `${notified[0]?.url}`);
    await waitForYes(here);
    const there = await stage().open(second, `${notified[0]?.url}`);
    await deny(there);
    await here.getByText('another device').waitFor();
  });
});
