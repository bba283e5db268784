/** Ports from the environment. */
export function portFrom(name: string, fallback: number): number {
  const given = process.env[name] ?? `${fallback}`;
  if (/^\d{1,5}$/.test(given) && Number(given) <= 65_535) return Number(given);
  process.stderr.write(`${name} must be a port number, not "${given}".\n`);
  process.exit(1);
}
