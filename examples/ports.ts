/** Reads a port from the environment. Ends the process with status 1 if the variable holds no port number. */
export function portFrom(name: string, fallback: number): number {
  const value = process.env[name] ?? `${fallback}`;
  if (/^\d{1,5}$/.test(value) && Number(value) <= 65_535) return Number(value);
  process.stderr.write(
    `${name} must be a port number from 0 to 65535, not "${value}". For example: ${name}=${fallback}\n`,
  );
  process.exit(1);
}
