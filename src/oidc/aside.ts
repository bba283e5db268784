/** A listener of the deployment that throws where nobody waits for it would end the process, or undo what is done already. */
export function aside(tell: () => void): void {
  try {
    tell();
  } catch (error) {
    warn(error);
  }
}

export function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error));
}
