/** The clients that the provider of the bench knows, by what their people sign in with. */
export interface BenchClient {
  readonly id: string;
  readonly redirectUri: string;
}

export const RP: BenchClient = { id: 'rp', redirectUri: 'http://rp.example/callback' };
/** Its people are led from the QR page's address to a password page: as deployments do with `loginPage`. */
export const PHONE_CLIENT: BenchClient = { id: 'phone', redirectUri: 'http://phone.example/callback' };
/** Its people get the password page at once, which lies beside the plugin's URLs: as of a provider without QR sign-in. */
export const PASSWORD_RP: BenchClient = { id: 'password-rp', redirectUri: 'http://password-rp.example/callback' };
