/** Child programs of the tests. */

interface Compiler {
  readonly compileProgram: (file: string) => string;
}

// The scripts are JavaScript without types.
const { compileProgram }: Compiler = await import(new URL('../../scripts/compile-program.mjs', import.meta.url).href);

/** Compiles a program with all that it imports, unless that was done before. Returns the file to run, which needs no loader. */
export function compiledProgram(file: string): string {
  return compileProgram(file);
}
