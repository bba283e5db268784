/** The module hooks of Node 20, which `module.register` runs in a thread of their own. */
import { compileUrl } from './typescript-cache.mjs';

export async function load(url, context, nextLoad) {
  return compileUrl(url) ?? nextLoad(url, context);
}
