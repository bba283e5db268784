/** The clients of the bench's provider. They differ in the page that their users sign in with. */
export interface BenchClient {
  readonly id: string;
  readonly redirectUri: string;
}

export const RP: BenchClient = { id: 'rp', redirectUri: 'http://rp.example/callback' };
/**
 * The client with which phones sign in. Its users are redirected from the QR page's address to a password page, as a
 * deployment does with `loginPage`.
 */
export const PHONE_CLIENT: BenchClient = { id: 'phone', redirectUri: 'http://phone.example/callback' };
/**
 * A client whose users get the password page at once, at a URL that the plugin does not serve, just like at a provider
 * without QR sign-in.
 */
export const PASSWORD_RP: BenchClient = { id: 'password-rp', redirectUri: 'http://password-rp.example/callback' };
/** An app that approves sign-ins, with a DPoP-bound token. It runs on a phone that is signed in with `PHONE_CLIENT`. */
export const PHONE_APP: BenchClient = { id: 'phone-app', redirectUri: 'http://phone-app.example/callback' };
/** A client whose users sign in with the device flow. */
export const DEVICE_RP: BenchClient = { id: 'device-rp', redirectUri: 'http://device-rp.example/callback' };
/** A client that asks for actions with its own access token. */
export const SHOP: { readonly id: string; readonly secret: string } = {
  id: 'shop',
  secret: 'a secret that only the bench knows',
};
