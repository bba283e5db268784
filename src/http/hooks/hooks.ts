import type { Context } from 'koa';
import type { Interaction } from '../../oidc/interaction.ts';
import type { ConsentMode } from '../../oidc/request/request.ts';
import type { Place, SignInRequest } from '../../ticket/ticket.ts';
import type { Translate } from './translate.ts';

/** The demands on a sign-in that the phone is sent to, and the path that it must come back to. */
export interface PhoneSignIn {
  /** A path on this provider that the phone must be sent to once it is signed in. */
  readonly returnTo: string;
  /** True if an existing session is not enough: ask for the password (or passkey) again. */
  readonly fresh: boolean;
  /** The account that is expected, if it is known. */
  readonly accountId?: string;
  /** The RP's `login_hint`, if the request demands another account than the phone's. */
  readonly loginHint?: string;
  /** The authentication context classes that the request demands or prefers. */
  readonly acrValues?: readonly string[];
}

/**
 * Returns the URL or path of the deployment where the phone signs in. Returns `undefined` if the deployment cannot give
 * the demanded fresh sign-in or class: the phone can only deny then, and the RP gets `login_required` or
 * `unmet_authentication_requirements`. For a phone without any session, the function must return an address.
 */
export type SignIn = (ctx: Context, wanted: PhoneSignIn) => string | undefined | Promise<string | undefined>;

/** A page of the deployment below an interaction's URL, by its last path segment. */
export interface OwnPage {
  /** Letters, digits, `-` and `_`: `password` is `/interaction/:uid/password`. */
  readonly path: string;
}

/** Chooses the page of a login prompt: `undefined` for the QR page, else one of the deployment's own. */
export type LoginPage = (ctx: Context, interaction: Interaction) => OwnPage | undefined | Promise<OwnPage | undefined>;

/** A page of the deployment on which users who cannot scan sign in, with the text of the link to it. */
export interface OtherWay extends OwnPage {
  readonly label: string;
}

/**
 * Returns the ways to sign in that the QR page offers to users who cannot scan. On a phone they come first. `t` returns
 * a text of your `views` in the language of the page: `t('way.password')`.
 */
export type OtherWays = (
  ctx: Context,
  interaction: Interaction,
  t: Translate,
) => readonly OtherWay[] | Promise<readonly OtherWay[]>;

/** Chooses whether the phone, the browser or no page asks for consent to this request. */
export type ConsentPolicy = (ctx: Context, interaction: Interaction) => ConsentMode | Promise<ConsentMode>;

/** A browser that was just signed in by a phone. */
export interface NewSignIn {
  readonly accountId: string;
  /** Its claimed name and system, and its rough location. `known`: this account trusted it before. */
  readonly browser: {
    readonly name?: string;
    readonly system?: string;
    readonly place?: Place;
    readonly known: boolean;
  };
  /**
   * The client that requested the sign-in. `host`: the verified host that the answer goes to; for a native app, the
   * scheme of its redirect URI; absent if there is none.
   */
  readonly client: { readonly id: string; readonly name: string; readonly host?: string };
  /** The time in milliseconds since the epoch. */
  readonly at: number;
}

/** Tells the user, for example by mail or push, about a new sign-in by QR. The request does not wait for it. */
export type OnSignIn = (ctx: Context, signIn: NewSignIn) => void | Promise<void>;

/**
 * Returns true if this account may be used for this client only in browsers that it has enrolled: a code can then be
 * approved for no other browser.
 */
export type EnrolmentRule = (client: SignInRequest['client'], accountId: string) => boolean | Promise<boolean>;
