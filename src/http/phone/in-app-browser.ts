/** Recognizes the browsers inside of other apps. Many of them give pages no camera, and keep no sign-in. */

/**
 * The apps, with the patterns of their user agents. Messenger comes before Facebook, whose pattern would match it, too.
 */
const APPS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['WeChat', /\bMicroMessenger\//],
  ['Instagram', /\bInstagram[ /]/],
  ['Messenger', /\bFB(?:AN|_IAB)\/(?:Orca|Messenger)/],
  ['Facebook', /\bFB(?:AN|AV|_IAB|IOS)[/;]/],
  ['TikTok', /\b(?:TikTok|musical_ly|BytedanceWebview)/],
  ['LINE', /\bLine\/\d/],
  ['KakaoTalk', /\bKAKAOTALK\b/],
  ['LinkedIn', /\bLinkedInApp\b/],
  ['Snapchat', /\bSnapchat[ /]/],
];

export interface InAppBrowser {
  /** The name of the app. */
  readonly name: string;
  /** The address that opens a page in the system's browser; undefined on systems without such an address. */
  readonly openUrl: string | undefined;
}

/**
 * Finds out by the user agent which app shows a page in its own browser. Returns undefined for any other browser.
 * @param url the address to open in the system's browser
 */
export function findInAppBrowser(userAgent: string | undefined, url: string): InAppBrowser | undefined {
  const [name] = APPS.find(([, pattern]) => pattern.test(userAgent ?? '')) ?? [];
  return name === undefined ? undefined : { name, openUrl: urlForSystem(userAgent ?? '', new URL(url)) };
}

/**
 * Returns the address that opens the system's browser: an intent on Android, and a URL of Safari's own scheme on iOS 17
 * and later. Some apps refuse both, so the page also explains in words what to do.
 */
function urlForSystem(userAgent: string, { protocol, host, pathname }: URL): string | undefined {
  const scheme = protocol.slice(0, -1);
  if (/\bAndroid\b/.test(userAgent)) return `intent://${host}${pathname}#Intent;scheme=${scheme};end`;
  if (/\b(?:iPhone|iPad)\b/.test(userAgent)) return `x-safari-${scheme}://${host}${pathname}`;
  return undefined;
}
