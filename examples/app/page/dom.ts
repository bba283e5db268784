/** Makes elements. Texts become text nodes, so that no name of an app or a browser is ever read as HTML. */

type Listener = (event: Event) => void;
type Attributes = Readonly<Record<string, string | boolean | Listener | undefined>>;
export type Child = Node | string | undefined | false;

const SVG = 'http://www.w3.org/2000/svg';

/**
 * Makes an element.
 * @param attributes a function is a listener for the event of that name; `true` is an attribute without a value;
 * `false` and undefined are left out
 */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(key, value);
    else if (value === true) made.setAttribute(key, '');
    else if (typeof value === 'string') made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== undefined && child !== false));
  return made;
}

/** Makes a decorative icon of 24 by 24 units from lines. */
export function icon(...lines: readonly string[]): SVGElement {
  const made = document.createElementNS(SVG, 'svg');
  made.setAttribute('viewBox', '0 0 24 24');
  made.setAttribute('aria-hidden', 'true');
  made.classList.add('icon');
  for (const line of lines) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('d', line);
    made.append(path);
  }
  return made;
}

/** Isolates a name that was chosen by others, so that its direction cannot reorder the text beside it. */
export function isolate(text: string): HTMLElement {
  return element('bdi', {}, text);
}
