/** Spaces and dashes of any kind, and invisible characters that a copied text may contain. */
const SEPARATORS = /[\s\p{Pd}\p{Cf}\u2212]/gu;

/**
 * Returns a typed code without separators, and in plain characters: keyboards for Chinese or Japanese may type
 * full-width ones.
 */
export function withoutSeparators(typed: string): string {
  return typed.normalize('NFKC').replace(SEPARATORS, '');
}
