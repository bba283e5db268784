/** Reads the link of a code from a text that another app shares with the installed scan page (W3C Web Share Target). */
import type { Context } from 'koa';
import { CODE_LENGTH } from '../../ticket/codes/code.ts';

/** The parameters of a share, in the order of the search. Many Android apps put a link into `text`, not into `url`. */
export const SHARE_PARAMETERS = { url: 'url', text: 'text', title: 'title' } as const;

/** Returns the texts that were shared; none for an ordinary request of the page. */
export function readSharedTexts({ query }: Context): string[] {
  return Object.values(SHARE_PARAMETERS).flatMap((name) => query[name] ?? []);
}

/**
 * Returns the code whose address is in one of the texts. Any other address is ignored.
 * @param prefix the beginning of the address in every code of this provider
 */
export function findSharedCode(texts: readonly string[], prefix: string): string | undefined {
  for (const text of texts) {
    const at = text.indexOf(prefix);
    const [code = ''] = at < 0 ? [] : (/^[\w-]*/.exec(text.slice(at + prefix.length)) ?? []);
    if (code.length === CODE_LENGTH) return code;
  }
  return undefined;
}
