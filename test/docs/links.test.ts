import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect } from 'chai';
import { allPages, type DocPage, docPage } from '../support/doc-pages.ts';
import { ROOT } from '../support/packed.ts';

interface Link {
  readonly page: DocPage;
  readonly target: string;
}

/** The beginning of a link to a file of this repository in the README, which the registry shows, too. */
const REPOSITORY =
  /^https:\/\/(?:github\.com\/(oidc-provider-qr-login)\/\1\/blob|raw\.githubusercontent\.com\/(oidc-provider-qr-login)\/\2)\/main\//;

/** Returns the links of a page to files of this repository, outside of code. Pictures count as links. */
function linksIn(page: DocPage): Link[] {
  const links = /\[[^\]]*\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$/gm;
  return [...page.prose.replace(/`[^`\n]*`/g, '').matchAll(links)]
    .map(([, inline, defined]) => ({ page, target: `${inline ?? defined}`.replace(REPOSITORY, '') }))
    .filter(({ target }) => !/^[a-z]+:/.test(target));
}

/** Returns the anchors that GitHub generates for the headings of a page. */
function anchorsOf({ prose }: DocPage): Set<string> {
  const uses = new Map<string, number>();
  const headings = [...prose.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading]) => String(heading));
  return new Set(
    headings.map((heading) => {
      const plain = heading
        .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '');
      const slug = plain.replaceAll(' ', '-');
      const times = uses.get(slug) ?? 0;
      uses.set(slug, times + 1);
      return times === 0 ? slug : `${slug}-${times}`;
    }),
  );
}

/** Returns a description of the fault in a link, or undefined if the link works. */
function findFault({ page, target }: Link): string | undefined {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? page.path : relative(ROOT, join(ROOT, dirname(page.path), path));
  if (!existsSync(join(ROOT, file))) return `${page.path}: there is no ${target}`;
  if (anchor === undefined) return undefined;
  if (!file.endsWith('.md') || statSync(join(ROOT, file)).isDirectory())
    return `${page.path}: ${target} has no anchors`;
  return anchorsOf(docPage(file)).has(anchor) ? undefined : `${page.path}: there is no such heading: ${target}`;
}

describe('the documentation', () => {
  const pages = allPages();

  it('has no broken link', () => {
    const links = pages.flatMap(linksIn);
    expect(links.length).to.be.greaterThan(100);
    expect(links.map(findFault).filter((one) => one !== undefined)).to.deep.equal([]);
  });

  it('defines each link that is used by a name, once, and no other', () => {
    for (const { path, prose } of pages) {
      const text = prose.replace(/`[^`\n]*`(?!\])/g, '');
      const used = [...text.matchAll(/\]\[([^\]]+)\]/g)].map(([, name]) => name);
      const defined = [...text.matchAll(/^\[([^\]]+)\]: \S+$/gm)].map(([, name]) => name);
      expect(defined, path).to.include.members(used);
      expect([...new Set(defined)], path).to.deep.equal(defined);
      expect(
        defined.filter((name) => !new RegExp(`\\[${name}\\](?!:)`).test(text)),
        path,
      ).to.deep.equal([]);
    }
  });

  it('has an index of all its pages', () => {
    const listed = linksIn(docPage('docs/README.md')).map(({ target }) => `docs/${target}`);
    const all = pages.map(({ path }) => path).filter((path) => dirname(path) === 'docs' && path !== 'docs/README.md');
    expect(listed).to.include.members(all);
  });

  it('names only npm scripts that exist', () => {
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(
      readFileSync(join(ROOT, 'package.json'), 'utf8'),
    );
    const named = pages.flatMap(({ path, text }) =>
      [...text.matchAll(/\bnpm (?:run (?:-s )?([\w:-]+)|(start|test)\b)/g)].map(([, run, short]) => ({
        path,
        script: run ?? short ?? '',
      })),
    );
    expect(named.length).to.be.greaterThan(10);
    expect(named.filter(({ script }) => scripts[script] === undefined)).to.deep.equal([]);
  });
});
