import { Agent, type Answer } from '../../support/agent.ts';

const HTML = { accept: 'text/html' };

/** A browser in which an account opens the console. */
export class OperatorVisitor {
  readonly agent: Agent = new Agent();
  readonly issuer: string;

  constructor(issuer: string) {
    this.issuer = issuer;
  }

  /** Opens a page of the console. Follows redirects. */
  open(path: string = '/'): Promise<Answer> {
    return this.agent.follow(`${this.issuer}/console${path}`);
  }

  /** Opens the console, and signs in on the password page. @returns the last page */
  async signIn(name: string, password: string, path: string = '/'): Promise<Answer> {
    const page = await this.open(path);
    const answer = await this.agent.post(page.url, { form: { name, password }, headers: this.#ownPage });
    return this.agent.follow(new URL(answer.location, page.url));
  }

  /** Sends a form of a page, with the token of the page unless another one is given. */
  async submit(
    path: string,
    fields: Record<string, string>,
    headers: Record<string, string> = this.#ownPage,
  ): Promise<Answer> {
    const { csrf = csrfIn(await this.open(path)), ...others } = fields;
    return this.agent.post(`${this.issuer}/console${path}`, { form: { csrf, ...others }, headers });
  }

  get #ownPage(): Record<string, string> {
    return { ...HTML, origin: new URL(this.issuer).origin, 'sec-fetch-site': 'same-origin' };
  }
}

/** Returns the token in the forms of a page; empty if there is none. */
export function csrfIn({ text }: Answer): string {
  return /name="csrf" value="([\w-]+)"/.exec(text)?.[1] ?? '';
}
