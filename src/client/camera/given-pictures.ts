/** Codes that the user gives to the scan page instead of showing them to the camera: photos, and what was copied. */

import type { Reader } from './read-code.ts';

/** Something with a code in it, perhaps: a picture, or a copied text. */
export type Given = Blob | string;

/** The text that was found in it, or the name of the message that says why there is none. */
export type Found = { readonly text: string } | { readonly problem: 'no-code' | 'no-photo' | 'incomplete' };

/** Reads what the user has given. @param reader loads the decoder */
export async function readGiven(given: Given, reader: Promise<Reader>): Promise<Found> {
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

/** True if a press on a button may read the clipboard here. Everywhere else, the keys for pasting still work. */
export function canReadClipboard(): boolean {
  return typeof navigator.clipboard?.read === 'function';
}

/** Returns the picture or the text in the clipboard; undefined if there is none, or the user does not allow it. */
export async function readClipboard(): Promise<Given | undefined> {
  try {
    for (const item of await navigator.clipboard.read()) {
      const image = item.types.find((type) => type.startsWith('image/'));
      const type = image ?? item.types.find((other) => other === 'text/plain');
      if (type === undefined) continue;
      const content = await item.getType(type);
      return image === undefined ? content.text() : content;
    }
  } catch {
    // Refused, or dismissed: browsers make no difference.
  }
  return undefined;
}

/** Returns what was pasted by keys, or dropped; undefined if it is neither a picture nor a text. */
export function inTransfer(transfer: DataTransfer | null): Given | undefined {
  const picture = [...(transfer?.files ?? [])].find(({ type }) => type.startsWith('image/'));
  return picture ?? (transfer?.getData('text/plain') || undefined);
}
