/** The module hooks for Node 20, which `module.register` runs in a separate thread. */
import { compileUrl } from './typescript-cache.mjs';

export async function load(url, context, nextLoad) {
  return compileUrl(url) ?? nextLoad(url, context);
}
