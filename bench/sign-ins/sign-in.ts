/** A whole sign-in, one request after the other. */
export interface SignIn {
  readonly steps: readonly Step[];
}

/** What is requested, and the request, which checks its answer. `I` is the interaction's URL, `Q` what the phone's lie below. */
export type Step = readonly [name: string, send: () => Promise<void>];

export async function complete(signIn: SignIn): Promise<void> {
  await through(signIn, signIn.steps.length);
}

/** Goes so many steps. */
export async function through({ steps }: SignIn, many: number): Promise<void> {
  for (const [, send] of steps.slice(0, many)) await send();
}
