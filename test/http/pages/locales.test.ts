import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { ErrorCode } from '../../../src/index.ts';
import { BrowserPerson, PhonePerson, World } from '../../support/world.ts';

const VIEWS = new URL('../../../views/', import.meta.url);

type Text = string | Record<string, string>;

function textsOf(language: string): Record<string, Text> {
  return JSON.parse(readFileSync(new URL(`locales/${language}.json`, VIEWS), 'utf8'));
}

/** Synonyms that the texts must not use, because docs/languages.md has one word for each thing. */
const VARIANTS: Record<string, RegExp> = {
  en: /\b(go on|say no|deny|denied|stop this|stopped and|not me)\b/i,
  de: /gestoppt und|Anmeldung gestoppt|genehmig/,
  fr: /approuv|bloqué|QR code/,
  es: /aprob|aprueb|bloquead|notificast/i,
  zh: /批准|停止登录/,
  ja: /ブラウザー|端末/,
  ar: /أوقفت|الإيقاف/,
};

/** Returns the error codes that the type `ErrorCode` lists. */
function errorCodes(): string[] {
  return membersOf('ErrorCode');
}

/** Returns the string literals that a type of `ticket/errors.ts` lists. */
function membersOf(type: string): string[] {
  const source = readFileSync(new URL('../../../src/ticket/errors.ts', import.meta.url), 'utf8');
  const [, union = ''] = new RegExp(`type ${type} =([^;]+);`).exec(source) ?? [];
  return [...union.matchAll(/'([\w-]+)'/g)].map(([, text]) => String(text));
}

/** Returns the forms of a text by plural category. A text without a number has one form. */
function formsOf(text: Text): Record<string, string> {
  return typeof text === 'string' ? { other: text } : text;
}

/**
 * Returns the placeholders of a form.
 * @param counts false to ignore `{count}`, which a form need not contain: "one second"
 */
function placeholders(form: string | undefined, counts: boolean): string[] {
  const found = [...(form ?? '').matchAll(/\{\w+\}/g)].map(([placeholder]) => placeholder).sort();
  return counts ? found : found.filter((placeholder) => placeholder !== '{count}');
}

describe('the texts', () => {
  const languages = readdirSync(new URL('locales', VIEWS)).map((file) => file.replace('.json', ''));
  const english = textsOf('en');
  const pages = readdirSync(new URL('pages', VIEWS))
    .map((file) => readFileSync(new URL(`pages/${file}`, VIEWS), 'utf8'))
    .join('\n');
  const sources = readdirSync(new URL('../../../src/http/', import.meta.url), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(new URL(`../../../src/http/${file}`, import.meta.url), 'utf8'))
    .join('\n');

  it('exist in English, Simplified Chinese, German, French, Spanish, Japanese and Arabic', () => {
    expect(languages).to.have.members(['en', 'zh', 'de', 'fr', 'es', 'ja', 'ar']);
  });

  for (const language of languages) {
    const texts = textsOf(language);

    it(`are complete in ${language}, in the same order, and none is empty`, () => {
      expect(Object.keys(texts)).to.deep.equal(Object.keys(english));
      for (const [key, text] of Object.entries(texts)) {
        for (const form of Object.values(formsOf(text))) expect(form, key).to.match(/^\S(.*\S)?$/s);
      }
    });

    it(`have the same placeholders in ${language}`, () => {
      for (const [key, text] of Object.entries(texts)) {
        const expected = placeholders(formsOf(english[key] ?? '').other, true);
        for (const [category, form] of Object.entries(formsOf(text))) {
          const isOther = category === 'other';
          expect(placeholders(form, isOther), `${key}, ${category}`).to.deep.equal(
            isOther ? expected : expected.filter((placeholder) => placeholder !== '{count}'),
          );
        }
      }
    });

    it(`name a button for screen readers with its visible words in ${language} (WCAG 2.5.3)`, () => {
      const names = Object.entries(texts).filter(([key]) => key.endsWith('.which'));
      expect(names).to.have.length.above(5);
      for (const [key, name] of names) {
        const visible = texts[key.slice(0, -'.which'.length)];
        expect(`${name}`.toLowerCase(), key).to.include(`${visible}`.toLowerCase());
      }
    });

    it(`have exactly the plural forms of ${language}`, () => {
      const { pluralCategories } = new Intl.PluralRules(language).resolvedOptions();
      for (const [key, text] of Object.entries(texts)) {
        expect(typeof text, key).to.equal(typeof english[key]);
        if (typeof text !== 'string') expect(Object.keys(text), key).to.have.members(pluralCategories);
      }
    });
  }

  it('use one word for each act and each thing', () => {
    for (const [language, variants] of Object.entries(VARIANTS)) {
      for (const [key, text] of Object.entries(textsOf(language))) {
        for (const form of Object.values(formsOf(text))) expect(form, `${language}: ${key}`).not.to.match(variants);
      }
    }
  });

  it('offer to report a sign-in in the same words before the sign-in and after it', () => {
    for (const language of languages) {
      const texts = textsOf(language);
      expect(texts['devices.report'], language).to.equal(texts['confirm.report']);
      expect(texts['devices.report.which'], language).to.include(String(texts['confirm.report']));
    }
  });

  it('have a name for the installed page that fits below an icon: at most 12 characters', () => {
    for (const language of languages)
      expect(String(textsOf(language)['scan.short']).length, language).to.be.at.most(12);
  });

  it('include every key that a page uses', () => {
    const used = [...pages.matchAll(/it\.t\('([^']+)'(?! \+)/g)].map(([, key]) => String(key));
    expect(used.length).to.be.greaterThan(40);
    expect(Object.keys(english)).to.include.members(used);
  });

  it('include every error and every end of a ticket on the phone', () => {
    const codes: readonly string[] = errorCodes();
    expect(codes).to.include('not_found' satisfies ErrorCode);
    for (const code of codes) expect(english).to.have.property(`error.${code}`);
    const reasons = membersOf('ErrorReason');
    expect(reasons).to.include('expired');
    for (const reason of reasons) {
      expect(
        Object.keys(english).filter((key) => key.startsWith('error.') && key.endsWith(`.${reason}`)),
      ).to.have.length(1);
    }
    for (const end of ['approved', 'redeemed', 'denied', 'report', 'risk', 'blocked', 'unmet']) {
      expect(english).to.include.keys(`done.${end}`, `done.${end}.text`);
    }
  });

  it('are all used', () => {
    const reasons = membersOf('ErrorReason');
    const errors = new Set(errorCodes().flatMap((code) => [code, ...reasons.map((reason) => `${code}.${reason}`)]));
    const unused = Object.keys(english).filter((key) => {
      if (pages.includes(`'${key}'`) || sources.includes(`'${key}'`)) return false;
      const [kind = '', ...rest] = key.split('.');
      if (kind === 'scope' || kind === 'claim') return false;
      if (kind === 'error') return !errors.has(rest.join('.'));
      if (kind === 'confirm' && rest[0] === 'unmet') return false;
      return !/^done\.(approved|redeemed|denied|report|risk|blocked|unmet)(\.text|\.there)?$/.test(key);
    });
    expect(unused).to.deep.equal([]);
  });

  it('are in the locale files only, and not in the templates', () => {
    const plain = pages
      .replace(/<%[\s\S]*?%>/g, '')
      .replace(/<[^>]*>/g, ' ')
      .trim();
    expect(plain).not.to.match(/[a-z]{3}/i);
  });
});

describe('the language', () => {
  let world: World;

  before(async () => {
    world = await World.start();
  });

  after(() => world?.stop());

  const CHINESE = { 'accept-language': 'zh-CN,zh;q=0.9,en;q=0.5' };

  it('is chosen by the RP, in the browser and on the phone', async () => {
    for (const ui_locales of ['zh', 'zh-CN', 'tlh zh-Hans-CN en']) {
      const browser = new BrowserPerson(world, { 'accept-language': 'en' });
      const phone = await new PhonePerson(world, { 'accept-language': 'en' }).signIn();
      const page = await browser.start({ ui_locales });
      expect(page.text).to.include('<html lang="zh" dir="ltr">').and.to.include('请用手机扫描二维码');
      await phone.scan(await browser.code());
      expect((await phone.agent.follow(phone.at)).text)
        .to.include('<html lang="zh" dir="ltr">')
        .and.to.include('是我，登录');
      await phone.approve();
      expect((await phone.agent.follow(phone.at)).text).to.include('已确认');
      const consent = await browser.goOn(String((await browser.finish()).json().redirectTo));
      expect(consent.text).to.include('Test app 请求授权');
    }
  });

  it('is the language of each device if the RP asks for no supported language', async () => {
    for (const parameters of [{}, { ui_locales: 'tlh' }] as Record<string, string>[]) {
      const browser = new BrowserPerson(world, CHINESE);
      const phone = await new PhonePerson(world, { 'accept-language': 'en-GB' }).signIn();
      const page = await browser.start(parameters);
      expect(page.text).to.include('<html lang="zh" dir="ltr">');
      expect(page.headers.get('vary')).to.match(/accept-language/i);
      await phone.scan(await browser.code());
      expect((await phone.agent.follow(phone.at)).text).to.include('<html lang="en" dir="ltr">');
    }
  });

  it('is the language of the device on an error page', async () => {
    const phone = new PhonePerson(world, CHINESE);
    const page = await phone.agent.get(`${world.issuer}/qr/nothing`);
    expect(page.text).to.include('二维码已失效');
  });

  it('is English if the browser names no supported language', async () => {
    for (const language of ['', '*', 'tlh', ';;;', 'x'.repeat(5000)]) {
      const page = await new BrowserPerson(world, { 'accept-language': language }).start();
      expect(page.text).to.include('<html lang="en" dir="ltr">');
    }
  });
});
