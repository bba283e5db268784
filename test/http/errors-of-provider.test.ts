import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { Keyv } from 'keyv';
import { type QrLogin, qrLogin } from '../../src/index.ts';
import type { Answer } from '../support/agent.ts';
import { BrowserPerson, CLIENT_ID, PhonePerson, RP_CALLBACK, World, type WorldOptions } from '../support/world.ts';

/** The memory of a Keyv, which throws while it is broken. */
class BreakableMap extends Map<string, unknown> {
  isBroken = false;

  override get(key: string): unknown {
    if (this.isBroken) throw new Error('out of reach');
    return super.get(key);
  }
}

const LANGUAGES = ['en', 'de', 'fr', 'es', 'ja', 'zh', 'ar'];

function textsOf(language: string): Record<string, string> {
  return JSON.parse(readFileSync(new URL(`../../views/locales/${language}.json`, import.meta.url), 'utf8'));
}

/** Runs an act at a provider that renders its errors with the plugin. */
function during(act: (world: World) => Promise<void>, { configuration, ...more }: WorldOptions = {}): Promise<void> {
  let qr: QrLogin | undefined;
  return World.during(
    {
      ...more,
      configuration: { ...configuration, renderError: (ctx, out, error) => qr?.renderError(ctx, out, error) },
      extend: (fixture) => {
        qr = fixture.qr;
      },
    },
    act,
  );
}

function open(world: World, address: string, language = 'en'): Promise<Answer> {
  const headers = { accept: 'text/html', 'accept-language': language };
  return new BrowserPerson(world).agent.get(new URL(address, world.origin), { headers });
}

function wrongRequest(parameters: Record<string, string>): string {
  return `/auth?${new URLSearchParams({ response_type: 'code', client_id: CLIENT_ID, scope: 'openid', ...parameters })}`;
}

/** Returns the code, the message and the link of an error page. */
function shownOn({ text }: Answer): {
  code?: string | undefined;
  says?: string | undefined;
  link?: string | undefined;
} {
  const [, code, says] = /<p data-error="(\w+)">([^<]*)</.exec(text) ?? [];
  const [, link] = /<a class="button primary" href="([^"]*)"/.exec(text) ?? [];
  return { code, says, link };
}

describe('an error of oidc-provider', () => {
  for (const language of LANGUAGES) {
    it(`is shown in the language of the user, with the details for developers: ${language}`, () =>
      during(async (world) => {
        const texts = textsOf(language);
        const answer = await open(world, wrongRequest({ redirect_uri: 'https://evil.example/' }), language);
        expect(answer.status).to.equal(400);
        expect(answer.text).to.match(
          new RegExp(`<html lang="${language}" dir="${language === 'ar' ? 'rtl' : 'ltr'}">`),
        );
        expect(shownOn(answer)).to.deep.equal({
          code: 'invalid_request',
          says: texts['error.invalid_request.app'],
          link: undefined,
        });
        expect(answer.text).to.include(`${texts['error.details']} <bdi lang="en"><code>invalid_redirect_uri</code>`);
        expect(answer.text).to.include('redirect_uri did not match any of the client');
        expect(answer.headers.get('content-security-policy')).to.include("frame-ancestors 'none'");
        expect(answer.headers.get('cache-control')).to.equal('no-store');
      }));
  }

  it('is shown in a language that the app asked for', () =>
    during(async (world) => {
      const parameters = { redirect_uri: 'https://evil.example/', ui_locales: 'fr' };
      expect((await open(world, wrongRequest(parameters), 'de')).text).to.include('<html lang="fr"');
    }));

  it('is shown without markup from the request', () =>
    during(async (world) => {
      const markup = '"><script>alert(1)</script>';
      const answers = [
        await open(world, wrongRequest({ client_id: markup })),
        await open(world, wrongRequest({ redirect_uri: `https://evil.example/${markup}` })),
        await open(world, wrongRequest({ redirect_uri: markup, response_mode: markup, state: markup })),
        await open(world, wrongRequest({ redirect_uri: markup, ui_locales: markup })),
        await open(world, `/auth/${encodeURIComponent(markup)}`),
      ];
      for (const { status, text } of answers) {
        expect(status).to.equal(400);
        expect(text).not.to.include('<script>').and.not.to.include('alert(1)</');
        expect(text).to.include('data-error=');
      }
    }));

  it('offers to try again while the store is out of reach, and the link works afterwards', async () => {
    const backend = new BreakableMap();
    await during(
      async (world) => {
        const { browser, phone } = await world.meet();
        await phone.scan(await browser.code());
        await phone.approve();
        const { redirectTo } = (await browser.finish()).json();
        backend.isBroken = true;
        const headers = { accept: 'text/html', 'accept-language': 'de' };
        const answer = await browser.agent.get(String(redirectTo), { headers });
        const started = await open(world, wrongRequest({ redirect_uri: RP_CALLBACK }), 'de');
        backend.isBroken = false;
        for (const { status, headers: sent } of [answer, started]) {
          expect(status).to.equal(503);
          expect(sent.get('retry-after')).to.equal('2');
        }
        const { 'error.store_unavailable': says } = textsOf('de');
        expect(shownOn(answer)).to.deep.equal({ code: 'store_unavailable', says, link: '' });
        expect(shownOn(started)).to.deep.equal({ code: 'store_unavailable', says, link: '' });
        const arrived = await browser.arriveFrom(String(redirectTo));
        expect((await browser.tokens(arrived)).claims()?.sub).to.equal('a11ce');
      },
      { store: new Keyv({ store: backend }) },
    );
  });

  it('tells a browser whose sign-in is gone to start again at the app', () =>
    during(async (world) => {
      const { 'error.no_interaction': says } = textsOf('en');
      const answer = await open(world, '/auth/a-sign-in-that-is-over');
      expect(shownOn(answer)).to.deep.equal({ code: 'no_interaction', says, link: undefined });
      expect(answer.text).to.include('<code>invalid_request</code>');
    }));

  it('is shown without details if it is a fault of the provider, with a link to try again', () =>
    during(
      async (world) => {
        const browser = new BrowserPerson(world);
        const answer = await browser.start();
        const { 'error.server_error': says } = textsOf('en');
        expect(answer.status).to.equal(500);
        expect(shownOn(answer)).to.deep.equal({ code: 'server_error', says, link: '' });
        expect(answer.text).not.to.include('secret of the operator').and.not.to.include('oops');
      },
      {
        configuration: {
          extraParams: {
            scope: () => {
              throw new TypeError('secret of the operator');
            },
          },
        },
      },
    ));

  it('leads back to the form after a POST, and never to another site', async () => {
    const backend = new BreakableMap();
    await during(
      async (world) => {
        const form = `${world.issuer}/session/end`;
        const referrers = { [form]: form, 'https://evil.example/': '', nonsense: '' };
        const phone = await new PhonePerson(world).signIn();
        backend.isBroken = true;
        for (const [referer, link] of Object.entries(referrers)) {
          const sent = { form: { xsrf: 'any' }, headers: { accept: 'text/html', referer } };
          const answer = await phone.agent.post(`${form}/confirm`, sent);
          expect(answer.status).to.equal(503);
          expect(shownOn(answer).link).to.equal(link);
        }
        backend.isBroken = false;
      },
      { store: new Keyv({ store: backend }) },
    );
  });

  it('causes a TypeError if renderError is called before attach', async () => {
    const qr = qrLogin({ findAccount: () => undefined, signIn: () => undefined });
    expect(() => qr.renderError({} as never, { error: 'server_error' }, new Error())).to.throw(TypeError, /attach/);
    await qr.close();
  });
});
