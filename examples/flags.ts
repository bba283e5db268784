/**
 * Reads the flags of a program that npm runs, such as `npm start -- --lan`. Ends the process with status 2 if there is
 * any other argument, because a misspelt flag would otherwise be ignored without a message.
 * @param command the program as its user types it
 */
export function flagsFrom<Name extends string>(command: string, names: readonly Name[]): ReadonlySet<Name> {
  const args = process.argv.slice(2);
  const flags = names.map((name) => `--${name}`);
  const unknown = args.find((arg) => !flags.includes(arg));
  if (unknown !== undefined)
    end(`There is no flag "${unknown}". There are ${flags.join(', ')}: ${command} -- ${flags[0]}`);
  // Without a separate "--" in front of the flags, npm keeps them for itself.
  const kept = names.find((name) => process.env[`npm_config_${name}`] !== undefined && !args.includes(`--${name}`));
  if (kept !== undefined) end(`npm has kept the flag --${kept} for itself: write ${command} -- --${kept}`);
  return new Set(names.filter((name) => args.includes(`--${name}`)));
}

function end(complaint: string): never {
  process.stderr.write(`${complaint}\n`);
  process.exit(2);
}
