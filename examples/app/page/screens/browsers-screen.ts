/** The screen that lists the browsers in which the account is signed in, and signs them out. */
import type { BrowserEntry } from 'oidc-provider-qr-login/phone';
import { element, isolate } from '../dom.ts';
import type { Texts } from '../texts.ts';
import { destination, facts } from './facts.ts';

export interface BrowsersActs {
  readonly signOut: (browser: BrowserEntry) => Promise<void>;
  readonly signOutAll: () => Promise<void>;
}

export function browsersScreen(
  { browsers: all, account }: { readonly browsers: readonly BrowserEntry[]; readonly account: string },
  texts: Texts,
  acts: BrowsersActs,
): HTMLElement {
  const { t } = texts;
  // Leave out the session of the app itself, which has its own button to sign out.
  const browsers = all.filter(({ isHere }) => !isHere);
  const isEmpty = browsers.length === 0;
  return element(
    'section',
    { class: 'stack' },
    element('h1', { tabindex: '-1' }, t('devices.title')),
    element(
      'p',
      { class: isEmpty ? undefined : 'quiet' },
      isEmpty ? t('devices.none') : t('devices.text', { account }),
    ),
    ...browsers.map((browser) => card(browser, texts, acts)),
    browsers.length > 1 &&
      element('button', { class: 'refusal', click: () => void acts.signOutAll() }, t('devices.end.all')),
    !isEmpty && element('p', { class: 'quiet' }, t('devices.hint')),
  );
}

function card(browser: BrowserEntry, texts: Texts, acts: BrowsersActs): HTMLElement {
  const { t } = texts;
  const title = texts.browserName(browser);
  const place = texts.placeName(browser.place);
  const clients = browser.clients.map(({ name: client, hosts }) =>
    element('span', { class: 'client' }, isolate(client), ...hosts.map((host) => hostLine(host, texts))),
  );
  return element(
    'article',
    { class: 'browser', 'aria-labelledby': `browser-${browser.id}` },
    element('h2', { id: `browser-${browser.id}` }, title),
    facts(
      place === '' ? undefined : [t('confirm.place'), place, t('confirm.place.hint')],
      [t('devices.signed-in'), texts.ago(browser.signedInAgo)],
      [t('devices.used'), texts.ago(browser.lastUsedAgo)],
      clients.length === 0 ? undefined : [t('devices.clients'), element('span', {}, ...clients)],
    ),
    element(
      'button',
      {
        class: 'secondary',
        'aria-label': t('devices.end.which', { browser: title }),
        click: () => void acts.signOut(browser),
      },
      t('devices.end'),
    ),
  );
}

function hostLine(host: string, texts: Texts): HTMLElement {
  return element('small', {}, destination(texts, host));
}
