/**
 * Calls a listener of the deployment and turns an exception into a warning. Without this, the exception would end the
 * process or make a step fail that is done already.
 */
export function callListener(tell: () => void): void {
  try {
    tell();
  } catch (error) {
    warn(error);
  }
}

export function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error));
}
