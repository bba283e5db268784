/**
 * Returns the headers that expire the cookies of another interaction. They are copies of the headers that set the
 * cookies of this interaction, with the path of the other one. So they include oidc-provider's cookies, whatever names
 * the deployment has given them.
 */
export function makeExpiryHeaders(set: readonly string[], uid: string, other: string): string[] {
  return set.flatMap((cookie) => {
    const [pair = '', ...attributes] = cookie.split('; ');
    const path = attributes.find((attribute) => attribute.toLowerCase().startsWith('path='));
    if (!path?.endsWith(`/${uid}`)) return [];
    const kept = attributes.filter((attribute) => attribute !== path && !/^(expires|max-age)=/i.test(attribute));
    const expiry = [path.slice(0, -uid.length) + other, 'expires=Thu, 01 Jan 1970 00:00:00 GMT'];
    return [[`${pair.split('=')[0]}=`, ...expiry, ...kept].join('; ')];
  });
}
