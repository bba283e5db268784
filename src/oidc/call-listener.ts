/**
 * Calls a listener of the deployment and turns an exception into a warning. Without this, the exception would end the
 * process, or turn a completed step into an error.
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
