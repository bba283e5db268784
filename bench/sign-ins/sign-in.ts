/** A whole sign-in as a list of steps, which are taken one after the other. */
export interface SignIn {
  readonly steps: readonly Step[];
}

/**
 * A name and a function that sends the request and checks its answer. In names, `I` is the interaction's URL and `Q`
 * the URL that the phone's URLs lie below.
 */
export type Step = readonly [name: string, send: () => Promise<void>];

export async function complete(signIn: SignIn): Promise<void> {
  await takeSteps(signIn, signIn.steps.length);
}

/** Takes the first `count` steps of a sign-in. */
export async function takeSteps({ steps }: SignIn, count: number): Promise<void> {
  for (const [, send] of steps.slice(0, count)) await send();
}
