/** The root element of the QR page. */
export const page: HTMLElement = find(document, '[data-qr-login]');
/** The URL of the interaction. All requests of the page go below it. */
export const interactionUrl: string = page.dataset.qrLogin ?? '';

/** Reads a text aloud to users of a screen reader. */
export function announce(text: string): void {
  find(page, '[role=status]').textContent = text;
}

export function find<E extends Element = HTMLElement>(within: ParentNode, selector: string): E {
  const element = within.querySelector<E>(selector);
  if (element === null) throw new Error(`the page has no ${selector}`);
  return element;
}
