import type { BrowserNote } from '../../oidc/resume/resumed.ts';

/** The data by which a user recognizes a browser on a list. */
export type BrowserDescription = Pick<BrowserNote, 'name' | 'system' | 'place'>;

/** Returns the description alone out of a larger record. */
export function descriptionOf({ name, system, place }: BrowserDescription): BrowserDescription {
  return {
    ...(name !== undefined && { name }),
    ...(system !== undefined && { system }),
    ...(place !== undefined && { place }),
  };
}
