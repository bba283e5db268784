import type { Context } from 'koa';
import type { Assure, FindAccount } from '../../oidc/approver.ts';
import type { Interaction } from '../../oidc/interaction.ts';
import type { ConsentMode } from '../../oidc/request.ts';
import type { Assess } from '../../ticket/risk.ts';
import type { ApproveGuard, PasskeySignIn } from './approve-guard.ts';
import type { Translate } from './translate.ts';

/** Why a phone is sent to sign in, and where it must come back to. */
export interface PhoneSignIn {
  /** A path on this provider that the phone must be sent to once it is signed in. */
  readonly returnTo: string;
  /** Whether a session that is there already is not enough: ask for the password (or passkey) again. */
  readonly fresh: boolean;
  /** The account that is expected, where that is known. */
  readonly accountId?: string;
  /** Whom the RP expects, in its own words (`login_hint`), where another account than the phone's is wanted. */
  readonly loginHint?: string;
  /** The authentication context classes one of which is demanded, or would be liked best. */
  readonly acrValues?: readonly string[];
}

/**
 * Where a phone that must sign in is sent: a URL or a path of the deployment. `undefined` where what is wanted cannot be
 * had, a fresh sign-in or a class: the phone may only say no then, and the RP hears `login_required` or
 * `unmet_authentication_requirements`. A phone without any session must be sent somewhere.
 */
export type SignIn = (ctx: Context, wanted: PhoneSignIn) => string | undefined | Promise<string | undefined>;

/** A page of the deployment below an interaction's URL, by its last path segment. */
export interface OwnPage {
  /** Letters, digits, `-` and `_`: `password` is `/interaction/:uid/password`. */
  readonly path: string;
}

/** Which page a login prompt gets: `undefined` for the QR page, else one of the deployment's own. */
export type LoginPage = (ctx: Context, interaction: Interaction) => OwnPage | undefined | Promise<OwnPage | undefined>;

/**
 * The ways to sign in that the QR page offers to people who cannot scan, and first of all on a phone. `t` gives a text of your `views` in the
 * language of the page: `t('way.password')`.
 */
export type OtherWays = (
  ctx: Context,
  interaction: Interaction,
  t: Translate,
) => readonly (OwnPage & { readonly label: string })[];

/** Who consents to what this request asks for. */
export type ConsentPolicy = (ctx: Context, interaction: Interaction) => ConsentMode | Promise<ConsentMode>;

/** What the deployment decides. */
export interface Hooks {
  readonly findAccount: FindAccount;
  readonly signIn: SignIn;
  readonly loginPage: LoginPage;
  readonly otherWays: OtherWays;
  readonly assess: Assess;
  readonly guard: ApproveGuard | undefined;
  readonly passkeySignIn: PasskeySignIn | undefined;
  readonly consent: ConsentPolicy;
  readonly assurance: Assure;
  readonly showAddress: boolean;
  readonly shortCode: boolean;
}
