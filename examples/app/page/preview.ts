/**
 * Shows the screens with sample data, in a preview that loads this script instead of the app's own. `?sample=…` chooses
 * the screen; without `sample` there are links to all screens. `&language=…` chooses the language.
 */
import { element } from './dom.ts';
import { SAMPLES } from './samples.ts';
import { readSettings } from './settings.ts';
import { Shell } from './shell.ts';
import { chooseLanguage, Texts } from './texts.ts';

const query = new URLSearchParams(location.search);
const { provider, issuer } = readSettings();
const language = chooseLanguage([query.get('language') ?? '', ...navigator.languages]);
const texts = await Texts.load(language, { provider, site: new URL(issuer).host });
const shell = new Shell(texts, provider, () => location.reload());
const sample = SAMPLES[query.get('sample') ?? ''];

if (sample === undefined) {
  const links = Object.keys(SAMPLES).map((name) =>
    element('li', {}, element('a', { href: `/?${new URLSearchParams({ sample: name, language })}` }, name)),
  );
  shell.show(element('section', {}, element('h1', {}, 'Screens'), element('ul', {}, ...links)), { isAlone: true });
} else shell.show(sample.make(texts), { tab: sample.tab, isAlone: sample.tab === undefined });
