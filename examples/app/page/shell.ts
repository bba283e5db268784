/** The frame around the screens: shows one at a time, moves the focus to it, and opens the app's own addresses. */
import { element } from './dom.ts';
import { navigation, type Tab } from './screens/plain-screens.ts';
import type { Texts } from './texts.ts';

export interface ShowOptions {
  /** The tab that the screen belongs to. */
  readonly tab?: Tab | undefined;
  /** True if there is no navigation, because no account is signed in. */
  readonly isAlone?: boolean;
  /** Called when another screen takes its place. */
  readonly close?: () => void;
}

export class Shell {
  readonly #texts: Texts;
  readonly #provider: string;
  readonly #main: HTMLElement;
  #navigation: HTMLElement | undefined;
  #close: (() => void) | undefined;
  /**
   * True once a screen was shown. The first screen does not take the focus, because the document itself is new then.
   */
  #hasShown = false;

  /** @param onOpen called when the user opens an address of the app: by a tab, or by the browser's Back and Forward */
  constructor(texts: Texts, provider: string, onOpen: () => void) {
    this.#texts = texts;
    this.#provider = provider;
    const main = document.querySelector('main');
    if (main === null) throw new Error('the page has no main element');
    this.#main = main;
    document.documentElement.lang = texts.tag;
    document.documentElement.dir = texts.direction;
    addEventListener('popstate', onOpen);
    document.addEventListener('click', (event) => {
      const link = event.target instanceof Element ? event.target.closest('a[data-tab]') : null;
      if (!(link instanceof HTMLAnchorElement) || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.goTo(link.pathname);
      onOpen();
    });
  }

  /** Changes the address without loading the page. */
  goTo(path: string, { replace = false }: { readonly replace?: boolean } = {}): void {
    if (path === location.pathname + location.search) return;
    if (replace) history.replaceState(null, '', path);
    else history.pushState(null, '', path);
  }

  show(screen: HTMLElement, { tab, isAlone = false, close }: ShowOptions = {}): void {
    this.#close?.();
    this.#close = close;
    this.#main.replaceChildren(screen);
    this.#showNavigation(isAlone ? undefined : navigation(this.#texts, tab));
    const heading = screen.querySelector('h1');
    document.title = `${heading?.textContent ?? ''} · ${this.#provider}`;
    scrollTo(0, 0);
    if (this.#hasShown) heading?.focus({ preventScroll: true });
    this.#hasShown = true;
  }

  /**
   * Runs an act of the user. Until it is over, no button of the screen can be pressed.
   */
  async runAct(act: () => Promise<void>): Promise<void> {
    const buttons = [...this.#main.querySelectorAll('button')].filter(({ disabled }) => !disabled);
    for (const button of buttons) button.disabled = true;
    this.say('');
    try {
      await act();
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  }

  /** Shows a message at the end of the screen, and reads it aloud. '' removes it. */
  say(text: string): void {
    const section = this.#main.querySelector('section');
    section?.querySelector(':scope > [data-message]')?.remove();
    if (text === '') return;
    const message = element('p', { class: 'notice mistake', role: 'alert', 'data-message': true }, text);
    section?.append(message);
    message.scrollIntoView({ block: 'nearest' });
  }

  #showNavigation(shown: HTMLElement | undefined): void {
    const focused = document.activeElement?.getAttribute('data-tab');
    this.#navigation?.remove();
    this.#navigation = shown;
    if (shown === undefined) return;
    this.#main.after(shown);
    // A keyboard user continues at the tab that was pressed, unless the screen takes the focus.
    if (focused) shown.querySelector<HTMLElement>(`[data-tab="${focused}"]`)?.focus();
  }
}
