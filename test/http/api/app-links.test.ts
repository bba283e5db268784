import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { Agent } from '../../support/agent.ts';
import { AppPerson } from '../../support/app.ts';
import { BrowserPerson, PhonePerson, World } from '../../support/world.ts';

const SHA256 = Array.from({ length: 32 }, () => 'A1').join(':');
const apps = {
  ios: ['ABCDE12345.com.example.app'],
  android: [{ package: 'com.example.app', sha256: SHA256 }],
  scheme: 'com.example.app',
};
const PHONE = { 'user-agent': 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile Safari/604.1' };

const COMPONENTS = {
  type: 'array',
  items: {
    type: 'object',
    required: ['/'],
    properties: { '/': { type: 'string' }, exclude: { type: 'boolean' }, comment: { type: 'string' } },
    additionalProperties: false,
  },
};

/** The shape that Apple publishes in "Supporting associated domains". */
const APPLE = {
  type: 'object',
  required: ['applinks'],
  additionalProperties: false,
  properties: {
    applinks: {
      type: 'object',
      required: ['details'],
      additionalProperties: false,
      properties: {
        details: {
          type: 'array',
          items: {
            type: 'object',
            required: ['appIDs', 'components'],
            additionalProperties: false,
            properties: {
              appIDs: { type: 'array', items: { type: 'string', pattern: '^[A-Z0-9]{10}\\.' } },
              components: COMPONENTS,
            },
          },
        },
      },
    },
  },
};

/** The shape that Google publishes in "Digital Asset Links", with the dynamic links of Android 15. */
const ANDROID = {
  type: 'array',
  items: {
    type: 'object',
    required: ['relation', 'target'],
    additionalProperties: false,
    properties: {
      relation: { type: 'array', items: { const: 'delegate_permission/common.handle_all_urls' } },
      target: {
        type: 'object',
        required: ['namespace', 'package_name', 'sha256_cert_fingerprints'],
        additionalProperties: false,
        properties: {
          namespace: { const: 'android_app' },
          package_name: { type: 'string' },
          sha256_cert_fingerprints: { type: 'array', items: { pattern: '^([0-9A-F]{2}:){31}[0-9A-F]{2}$' } },
        },
      },
      relation_extensions: {
        type: 'object',
        additionalProperties: {
          type: 'object',
          required: ['dynamic_app_link_components'],
          additionalProperties: false,
          properties: { dynamic_app_link_components: COMPONENTS },
        },
      },
    },
  },
};

interface Component {
  readonly '/': string;
  readonly exclude?: boolean;
}

/** Returns true if a phone would open this path with the app: `*` is any text, `?` any character. */
function opens(components: readonly Component[], path: string): boolean {
  const found = components.find((component) => {
    const pattern = component['/'].replace(/[.]/g, '\\.').replace(/\?/g, '.').replace(/\*/g, '.*');
    return new RegExp(`^${pattern}$`).test(path);
  });
  return found !== undefined && found.exclude !== true;
}

describe('the links of native apps', () => {
  let world: World;

  before(async () => {
    world = await World.start({ qrLogin: { apps } });
  });

  after(() => world?.stop());

  it('are served in the published formats, and cover only the addresses of codes', async () => {
    const browser = new BrowserPerson(world);
    await browser.start();
    const { pathname } = new URL(await browser.code());
    const files = { 'apple-app-site-association': APPLE, 'assetlinks.json': ANDROID };
    for (const [file, shape] of Object.entries(files)) {
      const answer = await new Agent().get(`${world.origin}/.well-known/${file}`);
      expect([answer.status, answer.headers.get('content-type')]).to.deep.equal([
        200,
        'application/json; charset=utf-8',
      ]);
      expect(answer.headers.get('cache-control')).to.equal('public, max-age=3600');
      const validate = new Ajv2020({ strict: false }).compile(shape);
      expect(validate(JSON.parse(answer.text)), JSON.stringify(validate.errors)).to.equal(true);
      const [, list = '[]'] = /"(?:dynamic_app_link_)?components":(\[[^\]]*\])/.exec(answer.text) ?? [];
      const components: Component[] = JSON.parse(list);
      expect(opens(components, pathname)).to.equal(true);
      for (const page of ['scan', 'devices', 'assets/style.css', 'tickets/x', 'api/scans', 'manifest.webmanifest', ''])
        expect(opens(components, `/qr/${page}`), page).to.equal(false);
      expect(opens(components, '/interaction/x')).to.equal(false);
    }
  });

  it('do not exist without apps', async () => {
    await World.during({}, async (own) => {
      for (const file of ['apple-app-site-association', 'assetlinks.json'])
        expect((await new Agent().get(`${own.origin}/.well-known/${file}`)).status).to.equal(404);
      const { browser, phone } = await own.meet();
      const page = await phone.agent.get(await browser.code(), { headers: { accept: 'text/html' } });
      expect(page.text).to.include('data-scan').and.not.to.include('Open in the app');
      expect((await browser.agent.get(`${browser.at}/qr/app`)).location).to.equal(new URL(browser.at).pathname);
    });
  });

  it('cause a warning at start-up if the host must serve them', async () => {
    const warned = new Promise<Error>((resolve) => {
      const listen = (warning: Error): void => {
        if (!('code' in warning) || warning.code !== 'QR_LOGIN_APP_LINKS') return;
        process.off('warning', listen);
        resolve(warning);
      };
      process.on('warning', listen);
    });
    await World.during({ path: '/op', qrLogin: { apps } }, async (own) => {
      expect((await warned).message).to.include(`${own.origin}/.well-known/apple-app-site-association`);
      const { text } = await new Agent().get(`${own.issuer}/.well-known/apple-app-site-association`);
      expect(text).to.match(/"\/op\/qr\/\?{46}"/);
    });
  });

  it('make the landing page offer the app, even to a phone that is not signed in', async () => {
    const browser = new BrowserPerson(world);
    await browser.start();
    const code = await browser.code();
    const inApp = `com.example.app:/qr/${code.split('/').at(-1)}?iss=${encodeURIComponent(world.issuer)}`;
    const stranger = new PhonePerson(world);
    const page = await stranger.agent.get(code, { headers: { accept: 'text/html' } });
    expect(page.text).to.include(`href="${inApp}"`).and.to.include('Open in the app');
    const [, here = ''] = /href="([^"]*here=yes)"/.exec(page.text) ?? [];
    const back = await stranger.signInAt(new URL(here, code).href);
    expect(back.url.href).to.equal(code);
    expect(back.text).to.include(`href="${inApp}"`).and.not.to.include('data-scan');
    expect((await stranger.scan(code)).status).to.equal(200);
    expect((await stranger.approve()).json().state).to.equal('approved');
  });

  it('let a browser on the same phone continue in the app, which leads back to that browser only', async () => {
    const browser = new BrowserPerson(world, PHONE);
    const page = await browser.start();
    const path = new URL(browser.at).pathname;
    expect(page.text).to.include(`href="${path}/qr/app"`).and.to.include('Continue in the app');
    const opened = await browser.agent.get(`${browser.at}/qr/app`);
    expect(opened.status).to.equal(303);
    const link = new URL(opened.location);
    expect([link.protocol, link.searchParams.get('iss')]).to.deep.equal(['com.example.app:', world.issuer]);
    const app = await new AppPerson(world).signIn();
    expect((await app.scan(`${link.pathname.split('/').at(-1)}`)).status).to.equal(201);
    expect((await app.approve()).json().state).to.equal('approved');
    const back = `${link.searchParams.get('return')}`;
    expect(back).to.equal(browser.at);
    expect((await new BrowserPerson(world, PHONE).agent.get(back)).status).to.equal(404);
    expect((await browser.agent.get(back)).status).to.equal(200);
    expect((await browser.tokens(await browser.arrive())).claims()?.sub).to.equal('a11ce');
    expect((await new BrowserPerson(world).agent.get(`${browser.at}/qr/app`)).status).to.equal(404);
  });
});
