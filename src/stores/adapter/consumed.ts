import type { AdapterPayload } from 'oidc-provider';

/**
 * Returns a payload whose `consumed` is a time in seconds since the epoch, as this adapter and oidc-provider write it.
 * A program of the deployment may also write `true`, a `Date` or its text. `undefined`, `null`, `false` and `0` mean
 * that the record has not been consumed, and are left out.
 * @throws TypeError for any other value, because a used record would look unused if the value were left out
 */
export function withTimeOfUse(payload: AdapterPayload): AdapterPayload {
  const { consumed, ...rest }: AdapterPayload & { consumed?: unknown } = payload;
  if (typeof consumed === 'number' && consumed > 0 && Number.isFinite(consumed)) return payload;
  if (consumed === undefined || consumed === null || consumed === false || consumed === 0) return rest;
  return { ...rest, consumed: toSeconds(consumed) };
}

function toSeconds(consumed: unknown): number {
  if (consumed === true) return Math.floor(Date.now() / 1000);
  const at = consumed instanceof Date ? consumed.getTime() : typeof consumed === 'string' ? Date.parse(consumed) : 0;
  if (at > 0) return Math.floor(at / 1000);
  throw new TypeError(
    `keyvAdapter: consumed must be a time in seconds since the epoch, true or a Date, not ${typeof consumed === 'object' ? 'an invalid one' : String(consumed)}`,
  );
}
