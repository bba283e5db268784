import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Provider } from 'oidc-provider';
import { defaultLimits } from '../../src/config/rate-limits.ts';
import { listOptions } from '../../src/config/schema.ts';
import { checkOptions } from '../../src/config/settings.ts';
import { type QrLoginOptions, qrLogin } from '../../src/index.ts';
import { docPage, firstColumn, section } from '../support/doc-pages.ts';
import { ROOT } from '../support/packed.ts';
import { DOCUMENT, withFacts } from './write-options.ts';

const PAGE = docPage('docs/options.md');
const KEY = 'a key of thirty-two characters or more';
const NEEDED: QrLoginOptions = { findAccount: () => ({ name: 'Alice' }), signIn: () => '/sign-in' };

function source(path: string): string {
  return readFileSync(join(ROOT, 'src', path), 'utf8');
}

/** Returns the members of an interface. Relies on the formatting of the source. */
function membersOf(path: string, name: string): string[] {
  const [, body = ''] = new RegExp(`export interface ${name} {\\n([\\s\\S]*?)\\n}`).exec(source(path)) ?? [];
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??:/gm)].map(([, member]) => String(member));
}

/** Returns the defaults that the doc comments of the options state, by the names of the options. */
function commentedDefaults(): Map<string, string> {
  const comments = source('config/options.ts').matchAll(/@default ([^@]*?)\n {3}\*\/\n {2}(\w+)\??:/g);
  return new Map([...comments].map(([, text = '', name = '']) => [name, text.replace(/\n {3}\* +/g, ' ')]));
}

/** Returns the value of a literal such as `{ scan: 120 }`; undefined if the text is not a literal. */
function literalIn(text: string): unknown {
  try {
    return JSON.parse(text.replace(/(\w+):/g, '"$1":'));
  } catch {
    return undefined;
  }
}

function thrownBy(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof TypeError) return error.message;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('the options page', () => {
  const options = membersOf('config/options.ts', 'QrLoginOptions');

  it('has a section for each option, and no other sections', () => {
    expect(options).to.include.members(['findAccount', 'clock']);
    const headings = [...section(PAGE, '## The options').matchAll(/^### `(\w+)`$/gm)].map(([, name]) => name);
    expect(headings).to.have.members(options);
    const [overview = ''] = PAGE.text.split('Further down');
    for (const option of options) expect(overview).to.include(`[\`${option}\`](#${option.toLowerCase()})`);
  });

  it('lists the facts about each option as the schema has them', () => {
    const marked = [...PAGE.text.matchAll(/<!-- facts: (\w+) -->/g)].map(([, name]) => name);
    expect(marked).to.have.members(options);
    expect(Object.keys(listOptions())).to.have.members(options);
    const page = readFileSync(DOCUMENT, 'utf8');
    expect(page).to.equal(withFacts(page));
  });

  it('has the same defaults as the doc comments', () => {
    const { limits, ...commented } = Object.fromEntries(commentedDefaults());
    const facts = Object.entries(listOptions()).filter(([name]) => !['findAccount', 'signIn', 'limits'].includes(name));
    const plain = (text = ''): string => text.replaceAll('`', '');
    expect(facts.map(([name, facts]) => `${name}: ${plain(facts.default)}`)).to.have.members(
      Object.entries(commented).map(([name, text]) => `${name}: ${plain(text)}`),
    );
    expect(literalIn(`${limits}`)).to.deep.equal(defaultLimits());
  });

  it('has the defaults that apply to an option that is left out', () => {
    const left = checkOptions(NEEDED);
    const compared = Object.entries(listOptions()).flatMap(([name, facts]) => {
      const value = literalIn(/^`([^`]+)`/.exec(facts.default)?.[1] ?? '');
      if (value === undefined || typeof Reflect.get(left, name) === 'function') return [];
      const given = checkOptions({ ...NEEDED, [name]: value });
      expect(Reflect.get(left, name), name).to.deep.equal(Reflect.get(given, name));
      return [name];
    });
    expect(compared).to.include.members(['deadlines', 'rotation', 'shortCode', 'parkStreams', 'apps']);
  });

  it('links to the errors for an unsuitable provider', async () => {
    expect(section(PAGE, '## What `qrLogin()` returns')).to.include('(troubleshooting.md#the-provider)');
    const qr = qrLogin(NEEDED);
    const configuration = { cookies: { keys: [KEY] }, features: { devInteractions: { enabled: false } } };
    const provider = new Provider('http://localhost:9', configuration);
    const messages = [
      thrownBy(() => qr.attach(new Provider('http://localhost:9', { ...configuration, cookies: {} }))),
      thrownBy(() => qr.attach(new Provider('http://localhost:9', { ...configuration, features: {} }))),
      thrownBy(() => qr.render({} as never, 'page')),
    ];
    qr.attach(provider);
    messages.push(thrownBy(() => qr.attach(provider)));
    await qr.close();
    const quoted = firstColumn(section(docPage('docs/troubleshooting.md'), '### The provider'));
    expect(quoted).to.include.members(messages);
  });

  it('lists the members of the object that qrLogin() returns', () => {
    const members = membersOf('qr-login.ts', 'QrLogin');
    const [table = ''] = section(PAGE, '## What `qrLogin()` returns').split('\n\n`attach`');
    expect(firstColumn(table).map((member) => member.replace(/\(.*/, ''))).to.have.members(members);
  });

  it('lists the options of passkeys()', () => {
    const [, table = ''] = section(PAGE, '## `passkeys`').split('| option |');
    expect(firstColumn(table)).to.have.members(membersOf('passkeys.ts', 'PasskeyOptions'));
  });

  it('lists each event and each metric, and no others', () => {
    const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
    const code = files.filter((file) => file.endsWith('.ts')).map(source);
    const names = new Set(code.flatMap((text) => [...text.matchAll(/'(qr_login\.[\w.]+)'/g)].map(([, name]) => name)));
    const listed = ['## Events', '## Metrics'].flatMap((heading) => firstColumn(section(PAGE, heading)));
    expect(listed.filter((name) => name.startsWith('qr_login.'))).to.have.members([...names]);
  });

  it('lists each field of a ticket event', () => {
    const [, table = ''] = section(PAGE, '## Events').split('| field |');
    expect(firstColumn(table)).to.have.members(membersOf('http/events/ticket-events.ts', 'TicketEvent'));
  });
});
