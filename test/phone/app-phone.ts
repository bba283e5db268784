/** Uses the library for apps (`src/phone`) with the token and the key of an app of the tests. */
import { Phone, type PhoneOptions, webCryptoSigner } from '../../src/phone/index.ts';
import { AppPerson } from '../support/app.ts';
import { BrowserPerson, type PASSWORDS, type World } from '../support/world.ts';

export interface AppPhone {
  readonly app: AppPerson;
  readonly phone: Phone;
}

/**
 * Returns the library with the current token of an app. The library refreshes the token when the provider refuses it.
 */
export async function phoneOf(app: AppPerson, options: Partial<PhoneOptions> = {}): Promise<Phone> {
  return new Phone({
    issuer: app.site.issuer,
    accessToken: async (refused) => {
      if (refused === app.accessToken) await app.refresh();
      return app.accessToken;
    },
    signer: await webCryptoSigner(app.key),
    ...options,
  });
}

/** Returns a browser at the QR page, and a phone whose app is signed in. */
export async function meetApp(
  world: World,
  { name = 'alice', parameters = {} }: { name?: keyof typeof PASSWORDS; parameters?: Record<string, string> } = {},
): Promise<AppPhone & { browser: BrowserPerson }> {
  const browser = new BrowserPerson(world);
  const [app] = await Promise.all([new AppPerson(world).signIn(name), browser.start(parameters)]);
  return { browser, app, phone: await phoneOf(app) };
}

/** Changes the access token of an app as if the user had signed in that many seconds ago. */
export async function backdateAppSignIn(world: World, { accessToken }: AppPerson, seconds: number): Promise<void> {
  const { adapter } = world.provider.AccessToken;
  const token = await adapter.find(accessToken);
  if (!token) throw new Error('the provider does not know the token');
  const extra = { ...token.extra, auth_time: Math.floor(Date.now() / 1000) - seconds };
  await adapter.upsert(accessToken, { ...token, extra }, seconds + HOUR_S);
}

/** Revokes the grant of an app, as the user or an administrator does. */
export async function revokeGrant({ provider }: World, { accessToken }: AppPerson): Promise<void> {
  const token = await provider.AccessToken.find(accessToken);
  const grant = await provider.Grant.find(`${token?.grantId}`);
  await grant?.destroy();
}

const HOUR_S = 3_600;
