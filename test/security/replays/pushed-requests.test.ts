import { expect } from 'chai';
import { KeyvRecords } from '../../../src/stores/adapter/keyv-records.ts';
import { MeetingAdapter } from '../../support/meeting-adapter.ts';
import { BrowserPerson, CLIENT_ID, CLIENT_SECRET, PhonePerson, RP_CALLBACK, World } from '../../support/world.ts';
import { registerSides, replacing, type Weakness, whilePatched } from '../attack.ts';

const CREDENTIALS = [CLIENT_ID, CLIENT_SECRET].map(encodeURIComponent).join(':');
const HEADERS = { accept: 'application/json', authorization: `Basic ${Buffer.from(CREDENTIALS).toString('base64')}` };
const REQUEST = {
  client_id: CLIENT_ID,
  response_type: 'code',
  redirect_uri: RP_CALLBACK,
  scope: 'openid profile',
  code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  code_challenge_method: 'S256',
};

const anyConsumer: Weakness = {
  defence: 'a name of the consumer beside the time of use',
  patch: replacing(
    KeyvRecords.prototype,
    'consume',
    (consume) =>
      async function (this: KeyvRecords, key, now, by) {
        return (await consume.call(this, key, now, by)) || by !== undefined;
      },
  ),
};

/**
 * Begins two sign-ins with one pushed request, and resumes both at the same time and then again.
 * @returns the authorization codes
 */
async function codesOfTwoSignIns(): Promise<readonly string[]> {
  const meeting = new MeetingAdapter('PushedAuthorizationRequest');
  const codes: string[] = [];
  const features = { devInteractions: { enabled: false }, pushedAuthorizationRequests: { enabled: true } };
  await World.during({ configuration: { adapter: meeting.adapter, features } }, async (world) => {
    const pushed = await new BrowserPerson(world).agent.post(`${world.issuer}/request`, {
      form: REQUEST,
      headers: HEADERS,
    });
    const query = new URLSearchParams({ client_id: CLIENT_ID, request_uri: `${pushed.json().request_uri}` });
    const start = `${world.issuer}/auth?${query}`;
    const resumes = [await readyToResume(world, start), await readyToResume(world, start)];
    meeting.meet(resumes.length);
    const first = await Promise.all(resumes.map((resume) => resume()));
    const again = await Promise.all(resumes.map((resume) => resume()));
    for (const { location } of [...first, ...again]) {
      const code = location ? new URL(location).searchParams.get('code') : null;
      if (code !== null) codes.push(code);
    }
  });
  return codes;
}

/** Signs a browser in and consents. @returns the function that sends its last request */
async function readyToResume(world: World, start: string): Promise<() => ReturnType<BrowserPerson['goOn']>> {
  const browser = new BrowserPerson(world);
  browser.at = (await browser.goOn(start)).url.href;
  const phone = await new PhonePerson(world).signIn();
  await phone.scan(await browser.code());
  await phone.approve();
  const consent = await browser.goOn(`${(await browser.finish()).json().redirectTo}`);
  const { redirectTo } = (await browser.agent.post(`${consent.url}/consent`, { json: {} })).json();
  return () => browser.agent.get(`${redirectTo}`);
}

describe('a pushed request that begins two sign-ins', () => {
  registerSides('row 37: gets a second authorization code when the sign-in that lost the race is resumed again', {
    lacks: anyConsumer.defence,
    succeeds: () =>
      whilePatched(anyConsumer, async () => {
        expect(await codesOfTwoSignIns()).to.have.length(2);
      }),
    fails: async () => {
      expect(await codesOfTwoSignIns()).to.have.length(1);
    },
  });
});
