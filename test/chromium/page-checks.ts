/** Checks the layout of a page, with scripts that run inside the page. */
import type { Page } from 'playwright-core';

/**
 * The least distance between two controls, in pixels. Closer controls look like one control, and users press the wrong
 * one.
 */
const LEAST_GAP = 4;

/** Finds the visible controls. */
const CONTROLS = `[...document.querySelectorAll('a[href], button, input, summary')]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && one.getClientRects().length > 0)`;

const NAME = `(one) => one.tagName.toLowerCase() + ' "' + (one.textContent.trim() || one.name) + '"'`;

/** Returns the controls that touch or overlap each other, once the page is scrolled to its end. */
export function touchingControls(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`(() => {
    scrollTo(0, document.documentElement.scrollHeight);
    const nameOf = ${NAME};
    const controls = ${CONTROLS};
    return controls.flatMap((one, index) => controls.slice(index + 1).flatMap((other) => {
      if (one.contains(other) || other.contains(one)) return [];
      const [a, b] = [one.getBoundingClientRect(), other.getBoundingClientRect()];
      const across = Math.max(a.left, b.left) - Math.min(a.right, b.right);
      const down = Math.max(a.top, b.top) - Math.min(a.bottom, b.bottom);
      return Math.max(across, down) < ${LEAST_GAP - 0.5} ? [nameOf(one) + ' touches ' + nameOf(other)] : [];
    }));
  })()`);
}

/** Returns the elements that are wider than the screen or than the element that contains them. */
export function overflowingElements(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`(() => {
    const nameOf = ${NAME};
    const width = document.documentElement.clientWidth;
    const wide = document.documentElement.scrollWidth > width ? ['the page is wider than the screen'] : [];
    const outside = [...document.querySelectorAll('main *')].filter((one) => {
      const box = one.getBoundingClientRect();
      return one.checkVisibility() && !one.closest('.sr-only') && (box.left < -1 || box.right > width + 1);
    });
    const full = ${CONTROLS}.filter((one) => one.matches('a, button') && one.scrollWidth > one.clientWidth + 1
      && getComputedStyle(one).display !== 'inline');
    return [...wide, ...outside.map(nameOf), ...full.map((one) => nameOf(one) + ' is wider than its frame')];
  })()`);
}

/** Returns the words of buttons that are divided between two lines. Scripts without spaces have no such words. */
export function brokenWords(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`(() => {
    const buttons = [...document.querySelectorAll('button, .button')].filter((one) => one.checkVisibility());
    const broken = [];
    for (const button of buttons) {
      const texts = document.createTreeWalker(button, NodeFilter.SHOW_TEXT);
      while (texts.nextNode()) {
        for (const { 0: word, index } of texts.currentNode.data.matchAll(/\\S+/g)) {
          if (/[\\p{Script=Han}\\p{Script=Hira}\\p{Script=Kana}]/u.test(word)) continue;
          const range = document.createRange();
          range.setStart(texts.currentNode, index);
          range.setEnd(texts.currentNode, index + word.length);
          const lines = new Set([...range.getClientRects()].map(({ bottom }) => Math.round(bottom)));
          if (lines.size > 1) broken.push(word);
        }
      }
    }
    return broken;
  })()`);
}

/** Returns the matching elements that are partly outside the window, or covered. */
export function hiddenElements(page: Page, selector: string): Promise<string[]> {
  return page.evaluate<string[]>(`(() => {
    const nameOf = ${NAME};
    const found = [...document.querySelectorAll(${JSON.stringify(selector)})].filter((one) => one.checkVisibility());
    return found.filter((one) => {
      const { left, top, right, bottom, width, height } = one.getBoundingClientRect();
      if (top < 0 || left < 0 || bottom > innerHeight || right > innerWidth) return true;
      const points = [[left + width / 2, top + 1], [left + width / 2, bottom - 2], [left + 2, top + height / 2]];
      return points.some(([x, y]) => {
        const there = document.elementFromPoint(x, y);
        return there !== null && !one.contains(there) && !there.contains(one);
      });
    }).map(nameOf);
  })()`);
}

/** Presses Tab until every control has had the focus. @returns the problems of the controls */
export async function tabThrough(page: Page): Promise<string[]> {
  const all = await page.evaluate<number>(`(globalThis.left = new Set(${CONTROLS}
    .filter((one) => one.type !== 'hidden' && !one.disabled))).size`);
  const problems: string[] = [];
  // Press Tab once more than there are controls: if a field has the focus from the beginning, Tab also leaves the page
  // once.
  for (let stop = 0; stop < all + 1; stop++) {
    await page.keyboard.press('Tab');
    problems.push(
      ...(await page.evaluate<string[]>(`(() => {
        const nameOf = ${NAME};
        const one = document.activeElement;
        if (one === document.body) return [];
        globalThis.left.delete(one);
        // The label stands for a field that only screen readers see.
        const seen = one.matches('.sr-only') && one.labels?.[0] ? one.labels[0] : one;
        const { left, top, right, bottom } = seen.getBoundingClientRect();
        const [x, y] = [(left + right) / 2, (top + bottom) / 2];
        const there = document.elementFromPoint(x, y);
        return [
          ...(getComputedStyle(seen).outlineStyle === 'none' ? [nameOf(one) + ' shows no focus'] : []),
          ...(there === null || !(seen.contains(there) || there.contains(seen)) ? [nameOf(one) + ' is covered'] : []),
        ];
      })()`)),
    );
  }
  const left = await page.evaluate<string[]>(`[...globalThis.left].map(${NAME})`);
  return [...problems, ...left.map((name) => `${name} is not reached`)];
}
