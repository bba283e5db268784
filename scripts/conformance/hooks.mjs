/**
 * Module hooks for oidc-provider's tests: the adapter under test takes the place of theirs, and uses the
 * `oidc-provider` of the checkout.
 */
const CHECKOUT = process.env.CONFORMANCE_CHECKOUT;
const THEIR_MODELS = new URL('test/models.js', CHECKOUT).href;
const OUR_MODELS = new URL('models.mjs', import.meta.url).href;

export async function resolve(specifier, context, nextResolve) {
  if (specifier === 'oidc-provider')
    return { url: new URL('lib/index.js', CHECKOUT).href, format: 'module', shortCircuit: true };
  const resolved = await nextResolve(specifier, context);
  return resolved.url === THEIR_MODELS ? { url: OUR_MODELS, format: 'module', shortCircuit: true } : resolved;
}
