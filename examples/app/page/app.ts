/** The app: maps addresses to screens, and carries out what the buttons do. */
import { Phone, PhoneError, type Ticket, webCryptoSigner } from 'oidc-provider-qr-login/phone';
import { type Account, SIGNED_IN_PATH, SignInRefused, type SignInWish } from './account.ts';
import { type DeviceStore, deviceKey } from './device-store.ts';
import type { Installation } from './installation.ts';
import { browsersScreen } from './screens/browsers-screen.ts';
import {
  accountScreen,
  linkScreen,
  problemScreen,
  type StartReason,
  startScreen,
  type Tab,
  waitingScreen,
} from './screens/plain-screens.ts';
import { ScanScreen } from './screens/scan-screen.ts';
import type { Settings } from './settings.ts';
import type { Shell } from './shell.ts';
import type { Texts } from './texts.ts';
import { TicketFlow } from './ticket-flow.ts';
import { isOffline, needsSignIn, textFor } from './trouble.ts';

export interface AppPorts {
  readonly settings: Settings;
  readonly texts: Texts;
  readonly shell: Shell;
  readonly store: DeviceStore;
  readonly account: Account;
  readonly installation: Installation;
}

export class App {
  readonly #ports: AppPorts;
  #phone: Promise<Phone> | undefined;
  #flow: TicketFlow | undefined;
  /** Counts the screens that were opened, so that an answer for a screen that the user has left can be ignored. */
  #openCount = 0;

  constructor(ports: AppPorts) {
    this.#ports = ports;
  }

  /** Shows the screen of the current address. */
  async open(): Promise<void> {
    this.#openCount += 1;
    this.#flow?.close();
    const { pathname, search } = location;
    if (pathname === SIGNED_IN_PATH) return this.#finishSignIn();
    const shared = pathname === '/' ? linkIn(new URLSearchParams(search)) : undefined;
    const code = /^\/qr\/([\w-]+)$/.exec(pathname)?.[1];
    const link = code === undefined ? shared : `${this.#ports.settings.issuer}/qr/${code}`;
    if (this.#ports.account.tokens === undefined) return this.#askToSignIn(link === undefined ? undefined : 'code');
    const back = waitingPageIn(new URLSearchParams(search), this.#ports.settings.issuer);
    if (link !== undefined) return this.#showLink(link, { back, issuer: new URLSearchParams(search).get('iss') });
    const ticket = /^\/tickets\/([\w-]+)$/.exec(pathname)?.[1];
    if (ticket !== undefined) return this.#goOnWith(ticket, back);
    if (pathname === '/browsers') return this.#showBrowsers();
    if (pathname === '/account') return this.#showAccount();
    return this.#showScan();
  }

  readonly #home = (): void => {
    this.#ports.shell.goTo('/');
    void this.open();
  };

  #askToSignIn(reason?: StartReason, endSessionUrl?: string): void {
    const { shell, texts } = this.#ports;
    const returnTo = location.pathname === SIGNED_IN_PATH ? '/' : location.pathname + location.search;
    const signIn = (): void => void shell.runAct(() => this.#signIn({ returnTo }));
    shell.show(startScreen(texts, { reason, signIn, endSessionUrl }), { isAlone: true });
  }

  /** Sends the user to the provider. An error is shown on the present screen. */
  async #signIn(wish: SignInWish): Promise<void> {
    const { account, shell, texts } = this.#ports;
    try {
      location.assign(await account.signInUrl(wish));
    } catch (error) {
      shell.say(textFor(error, texts));
    }
  }

  async #finishSignIn(): Promise<void> {
    const { account, shell, texts } = this.#ports;
    shell.show(waitingScreen(texts), { isAlone: true });
    try {
      const returnTo = await account.finishSignIn(new URL(location.href));
      this.#phone = undefined;
      shell.goTo(returnTo, { replace: true });
      await this.open();
    } catch (error) {
      // The code in the address works only once.
      shell.goTo('/', { replace: true });
      if (error instanceof SignInRefused) return account.tokens ? this.open() : this.#askToSignIn('refused');
      this.#fail(error, () => void this.open());
    }
  }

  #showScan(): void {
    const { shell, texts } = this.#ports;
    const claim = async (begin: (phone: Phone) => Promise<Ticket>): Promise<string | undefined> => {
      try {
        this.#follow(await begin(await this.#signedInPhone()));
        return undefined;
      } catch (error) {
        if (needsSignIn(error)) await this.#endAccount();
        return textFor(error, texts);
      }
    };
    const screen = new ScanScreen(texts, {
      scan: (text) => claim((phone) => phone.scan(text)),
      type: (backupCode) =>
        claim((phone) => phone.scanShortCode(backupCode)).then((refusal) =>
          refusal === texts.t('error.not_found') ? texts.t('typing.mistake') : refusal,
        ),
    });
    shell.show(screen.root, { tab: 'scan', close: () => screen.close() });
  }

  /** Asks before the code of a link is used. The link may name the page to come back to, and the issuer of the code. */
  #showLink(
    link: string,
    { back, issuer }: { readonly back: string | undefined; readonly issuer: string | null },
  ): void {
    const { shell, texts, settings } = this.#ports;
    if (issuer !== null && issuer !== settings.issuer) {
      shell.show(problemScreen(texts, { text: texts.t('scan.foreign'), leave: this.#home }), { tab: 'scan' });
      return;
    }
    const goOn = (): void =>
      void this.#load(
        'scan',
        async () => (await this.#signedInPhone()).scan(link),
        (ticket) => this.#follow(ticket, back),
      );
    shell.show(linkScreen(texts, { goOn, leave: this.#home }), { tab: 'scan' });
  }

  #goOnWith(id: string, back: string | undefined): Promise<void> {
    return this.#load(
      'scan',
      async () => (await this.#signedInPhone()).ticket(id),
      (ticket) => this.#follow(ticket, back),
    );
  }

  #follow(ticket: Ticket, back?: string): void {
    const { shell, texts, account } = this.#ports;
    this.#flow?.close();
    const query = back === undefined ? '' : `?${new URLSearchParams({ return: back })}`;
    // The ticket's address works again after a reload or a sign-in. It replaces the address of the code, which works
    // only once.
    const path = `/tickets/${ticket.id}${query}`;
    shell.goTo(path, { replace: location.pathname.startsWith('/qr/') });
    this.#flow = new TicketFlow(
      {
        shell,
        texts,
        signIn: (wish) => this.#signIn(wish),
        switchAccount: async (loginHint) => {
          await account.signOut();
          this.#phone = undefined;
          await this.#signIn({ returnTo: '/', ...(loginHint !== undefined && { loginHint }) });
        },
        leave: this.#home,
        fail: (error, again) => this.#fail(error, again),
      },
      { ticket, path, back },
    );
    void this.#flow.run();
  }

  #showBrowsers(): Promise<void> {
    const { shell, texts, account } = this.#ports;
    return this.#load(
      'browsers',
      async () => (await this.#signedInPhone()).browsers(),
      (browsers) => {
        const end = async (act: () => Promise<void>, done: string): Promise<void> =>
          shell.runAct(async () => {
            try {
              await act();
              await this.#showBrowsers();
              shell.say(texts.t(done));
            } catch (error) {
              if (needsSignIn(error)) return this.#endAccount();
              shell.say(textFor(error, texts));
            }
          });
        const byId = new Map(browsers.map((browser) => [browser.id, browser]));
        const screen = browsersScreen({ browsers, account: account.tokens?.name ?? '' }, texts, {
          signOut: ({ id }) => end(async () => byId.get(id)?.signOut(), 'devices.ended.one'),
          signOutAll: () => end(async () => (await this.#signedInPhone()).signOutBrowsers(), 'devices.ended.many'),
        });
        shell.show(screen, { tab: 'browsers' });
      },
    );
  }

  #showAccount(): void {
    const { shell, texts, account, installation } = this.#ports;
    const { name = '', subject = '' } = account.tokens ?? {};
    const signOut = (): void =>
      void shell.runAct(async () => {
        const endSessionUrl = await account.endSessionUrl().catch(() => undefined);
        const isRevoked = await account.signOut();
        this.#phone = undefined;
        shell.goTo('/', { replace: true });
        this.#askToSignIn(isRevoked ? 'signed-out' : 'not-revoked', endSessionUrl?.href);
      });
    const install = installation.isOffered ? () => void installation.ask().then(() => this.open()) : undefined;
    shell.show(accountScreen(texts, { account: { name, subject }, install, signOut }), { tab: 'account' });
  }

  /** Loads the data of a screen, and shows it unless the user went elsewhere meanwhile. */
  async #load<Data>(tab: Tab, load: () => Promise<Data>, show: (data: Data) => void): Promise<void> {
    const { shell, texts } = this.#ports;
    const opened = this.#openCount;
    shell.show(waitingScreen(texts), { tab });
    try {
      const data = await load();
      if (opened === this.#openCount) show(data);
    } catch (error) {
      if (opened === this.#openCount) this.#fail(error, () => void this.#load(tab, load, show), tab);
    }
  }

  #fail(error: unknown, again: () => void, tab: Tab = 'scan'): void {
    const { shell, texts, account } = this.#ports;
    if (needsSignIn(error)) return void this.#endAccount();
    // A refusal is final. A request that was not answered, or that came too soon, can be repeated.
    const mayRepeat = !(error instanceof PhoneError) || error.action === 'retry';
    const screen = problemScreen(texts, {
      text: textFor(error, texts),
      isOffline: isOffline(error),
      again: mayRepeat ? again : undefined,
      leave: tab === 'scan' ? this.#home : undefined,
    });
    shell.show(screen, { tab, isAlone: account.tokens === undefined });
  }

  /** Forgets the app's tokens, which the provider no longer accepts, and asks the user to sign in. */
  async #endAccount(): Promise<void> {
    this.#openCount += 1;
    this.#flow?.close();
    await this.#ports.account.forget();
    this.#phone = undefined;
    this.#askToSignIn('ended');
  }

  #signedInPhone(): Promise<Phone> {
    const { settings, store, account } = this.#ports;
    this.#phone ??= deviceKey(store)
      .then(webCryptoSigner)
      .then((signer) => {
        const { accessToken } = account;
        return new Phone({ issuer: settings.issuer, accessToken, signer, signDecisions: true });
      });
    return this.#phone;
  }
}

/** Returns the link that another app has shared with this one: see `share_target` in the manifest. */
function linkIn(query: URLSearchParams): string | undefined {
  const shared = `${query.get('link') ?? ''} ${query.get('text') ?? ''}`;
  return /https?:\/\/\S+\/qr\/[\w-]+/.exec(shared)?.[0];
}

/**
 * Returns the page of the browser that waits for the decision, if it is on this device and has opened the app. Any
 * address that is not an interaction at the provider is ignored: the app must not lead to any other site.
 */
function waitingPageIn(query: URLSearchParams, issuer: string): string | undefined {
  const page = query.get('return') ?? '';
  return URL.canParse(page) && new URL(page).href.startsWith(`${issuer}/interaction/`) ? new URL(page).href : undefined;
}
