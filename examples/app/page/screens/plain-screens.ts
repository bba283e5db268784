/** The screens with a text and one or two buttons. */
import { type Child, element, icon, isolate } from '../dom.ts';
import type { Texts } from '../texts.ts';
import { facts } from './facts.ts';

const PHONE = icon(
  'M8 2.75h8A1.75 1.75 0 0 1 17.75 4.5v15A1.75 1.75 0 0 1 16 21.25H8a1.75 1.75 0 0 1-1.75-1.75v-15A1.75 1.75 0 0 1 8 2.75z',
  'M10.75 18.25h2.5',
  'm9.5 10.5 2 2 3.25-3.75',
);

/** The reason why the user is asked to sign in, which names a text. The first time, there is no reason. */
export type StartReason = 'code' | 'ended' | 'refused' | 'signed-out' | 'not-revoked';

/** Asks the user to sign in. */
export function startScreen(
  { t }: Texts,
  {
    reason,
    signIn,
    endSessionUrl,
  }: {
    readonly reason?: StartReason | undefined;
    readonly signIn: () => void;
    readonly endSessionUrl?: string | undefined;
  },
): HTMLElement {
  return element(
    'section',
    { class: 'stack centred' },
    element('p', { class: 'mark mark-large', 'aria-hidden': 'true' }, PHONE.cloneNode(true)),
    element('h1', { tabindex: '-1' }, t('app.start.title')),
    reason !== undefined && element('p', { class: 'notice', role: 'status' }, t(`app.start.${reason}`)),
    element('p', {}, t('app.start.text')),
    element('button', { class: 'primary', click: signIn }, t('app.start.go')),
    endSessionUrl !== undefined &&
      element('a', { class: 'button plain', href: endSessionUrl }, t('app.start.end-session')),
  );
}

/** Asks before the app uses a code that came by a link. A link from an attacker must not do anything by itself. */
export function linkScreen(
  { t }: Texts,
  { goOn, leave }: { readonly goOn: () => void; readonly leave: () => void },
): HTMLElement {
  return element(
    'section',
    { class: 'stack' },
    element('h1', { tabindex: '-1' }, t('landing.title')),
    element('p', {}, t('app.link.text')),
    element('p', { class: 'notice' }, t('confirm.warning')),
    element(
      'div',
      { class: 'choice' },
      element('button', { class: 'refusal', click: leave }, t('app.link.leave')),
      element('button', { class: 'primary', click: goOn }, t('landing.go')),
    ),
  );
}

/** Shows the account, with a button to sign out. */
export function accountScreen(
  { t }: Texts,
  {
    account,
    install,
    signOut,
  }: {
    readonly account: { readonly name: string; readonly subject: string };
    /** Absent if the browser does not offer to install the app now. */
    readonly install?: (() => void) | undefined;
    readonly signOut: () => void;
  },
): HTMLElement {
  return element(
    'section',
    { class: 'stack' },
    element('h1', { tabindex: '-1' }, t('app.account.title')),
    facts([t('confirm.account'), isolate(account.name)], [t('app.account.id'), isolate(account.subject)]),
    element('p', { class: 'quiet' }, t('app.account.key')),
    install !== undefined && element('button', { class: 'primary', click: install }, t('app.account.install')),
    element('button', { class: 'secondary', click: signOut }, t('app.account.sign-out')),
  );
}

/** Says what went wrong, and offers a way to continue. */
export function problemScreen(
  { t }: Texts,
  {
    text,
    isOffline = false,
    again,
    leave,
  }: {
    readonly text: string;
    readonly isOffline?: boolean;
    readonly again?: (() => void) | undefined;
    readonly leave?: (() => void) | undefined;
  },
): HTMLElement {
  return element(
    'section',
    { class: 'stack centred', role: 'alert' },
    element('p', { class: 'mark mark-no', 'aria-hidden': 'true' }),
    element('h1', { tabindex: '-1' }, t(isOffline ? 'app.offline' : 'error.title')),
    element('p', {}, text),
    again && element('button', { class: 'primary', click: again }, t('error.again')),
    leave && element('button', { class: again ? 'secondary' : 'primary', click: leave }, t('app.scan-another')),
  );
}

/** Shown while the app waits for the provider. */
export function waitingScreen({ t }: Texts): HTMLElement {
  return element(
    'section',
    { class: 'stack centred', 'aria-busy': 'true' },
    element('span', { class: 'spinner', 'aria-hidden': 'true' }),
    element('h1', { tabindex: '-1', class: 'quiet' }, t('error.unavailable')),
  );
}

/** A tab of the navigation. */
export type Tab = 'scan' | 'browsers' | 'account';

const TABS: Readonly<Record<Tab, { readonly path: string; readonly lines: readonly string[] }>> = {
  scan: {
    path: '/',
    lines: [
      'M4 8V5.5A1.5 1.5 0 0 1 5.5 4H8',
      'M16 4h2.5A1.5 1.5 0 0 1 20 5.5V8',
      'M20 16v2.5a1.5 1.5 0 0 1-1.5 1.5H16',
      'M8 20H5.5A1.5 1.5 0 0 1 4 18.5V16',
      'M8.5 8.5h7v7h-7z',
    ],
  },
  browsers: { path: '/browsers', lines: ['M4.5 5h15v10.5h-15z', 'M9 19.5h6', 'M12 15.5v4'] },
  account: {
    path: '/account',
    lines: ['M12 4.25a3.75 3.75 0 1 1 0 7.5 3.75 3.75 0 0 1 0-7.5z', 'M4.75 20a7.25 7.25 0 0 1 14.5 0'],
  },
};

/** Returns the navigation. @param current the tab that is shown */
export function navigation({ t }: Texts, current: Tab | undefined): HTMLElement {
  const tabs = Object.entries(TABS).map(([tab, { path, lines }]): Child => {
    const isCurrent = tab === current;
    return element(
      'a',
      { href: path, 'data-tab': tab, 'aria-current': isCurrent ? 'page' : undefined },
      icon(...lines),
      element('span', {}, t(`app.tab.${tab}`)),
    );
  });
  return element('nav', { 'aria-label': t('app.tabs') }, ...tabs);
}
