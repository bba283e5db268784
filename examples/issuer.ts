/** Reads an issuer from the environment. Ends the process with status 1 if the variable holds none. */
export function issuerFrom(name: string, fallback: string): string {
  const value = process.env[name] ?? fallback;
  if (isIssuer(value)) return value;
  const guess = `http://${value.replace(/^[a-z]+:\/\//i, '').replace(/[?#].*$/, '')}`;
  const example = isIssuer(guess) ? guess : fallback;
  process.stderr.write(
    `${name} must be an address that begins with http:// or https://, not "${value}". For example: ${name}=${example}\n`,
  );
  process.exit(1);
}

/** OpenID Connect Core, section 2: a URL without query and fragment. Here, http is allowed as well. */
function isIssuer(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, search, hash } = new URL(value);
  return ['http:', 'https:'].includes(protocol) && search === '' && hash === '';
}
