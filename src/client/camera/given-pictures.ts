/** Reads codes that the user gives to the scan page as a photo, or as a copied or dropped picture or text. */

import type { Reader } from './read-code.ts';

/** A picture or a text that may contain a code. */
export type GivenContent = Blob | string;

/** The text of the code, or the name of the message that says why none was found. */
export type ContentReading = { readonly text: string } | { readonly problem: 'no-code' | 'no-photo' | 'incomplete' };

/** Finds the code in what the user has given. @param reader the decoder, which may still be loading */
export async function readGiven(given: GivenContent, reader: Promise<Reader>): Promise<ContentReading> {
  if (typeof given === 'string') return { text: given.trim() };
  const [loaded, picture] = await Promise.all([
    reader.catch(() => undefined),
    createImageBitmap(given).catch(() => undefined),
  ]);
  if (loaded === undefined) return { problem: 'incomplete' };
  if (picture === undefined) return { problem: 'no-photo' };
  const { text } = loaded.readPhoto({ source: picture, width: picture.width, height: picture.height });
  picture.close();
  return text === undefined ? { problem: 'no-code' } : { text };
}

/**
 * Returns true if a button may read the clipboard in this browser. Elsewhere, pasting with the keyboard still works.
 */
export function canReadClipboard(): boolean {
  return typeof navigator.clipboard?.read === 'function';
}

/** Returns the picture or the text in the clipboard; undefined if there is none, or the user does not allow it. */
export async function readClipboard(): Promise<GivenContent | undefined> {
  try {
    for (const item of await navigator.clipboard.read()) {
      const image = item.types.find((type) => type.startsWith('image/'));
      const type = image ?? item.types.find((other) => other === 'text/plain');
      if (type === undefined) continue;
      const content = await item.getType(type);
      return image === undefined ? content.text() : content;
    }
  } catch {
    // The user has refused or dismissed the question. Browsers report both in the same way.
  }
  return undefined;
}

/** Returns the pasted or dropped picture or text; undefined if there is neither. */
export function transferredContent(transfer: DataTransfer | null): GivenContent | undefined {
  const picture = [...(transfer?.files ?? [])].find(({ type }) => type.startsWith('image/'));
  return picture ?? (transfer?.getData('text/plain') || undefined);
}
