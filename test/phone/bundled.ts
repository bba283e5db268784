import { rolldown } from 'rolldown';

/** Returns the built library as one minified file, as the bundler of an app would make it. */
export async function bundleLibrary(format: 'esm' | 'iife'): Promise<string> {
  const bundle = await rolldown({ input: 'dist/phone/index.js', platform: 'neutral' });
  const { output } = await bundle.generate({ format, name: 'library', minify: true, comments: false });
  await bundle.close();
  const [{ code, imports, dynamicImports }, ...others] = output;
  if (imports.length + dynamicImports.length + others.length > 0) throw new Error('the library has dependencies');
  return code;
}
