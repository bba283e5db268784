/** A phone that signs in to the provider with a password, and approves tickets. */
import { formRequest, pageRequest, type Site } from './chromium.ts';
import type { Answer, Connections } from './connection.ts';
import { Cookies } from './cookies.ts';
import type { SendApproval } from './people.ts';
import { personAddress } from './source-address.ts';

const SIGN_IN =
  '/auth?client_id=phone&redirect_uri=http%3A%2F%2Fphone.example%2Fcallback&response_type=code&scope=openid' +
  '&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256';

export class Phone {
  readonly #site: Site;
  readonly #connections: Connections;
  readonly #address: string;
  readonly #cookies = new Cookies();

  private constructor(site: Site, connections: Connections, number: number) {
    this.#site = site;
    this.#connections = connections;
    this.#address = personAddress(number);
  }

  static async signIn(site: Site, connections: Connections, number: number): Promise<Phone> {
    const phone = new Phone(site, connections, number);
    const page = await phone.#follow(await phone.#get(SIGN_IN), '/password');
    const signedIn = await phone.#post(page, `name=person-${number}&password=wonderland`);
    await phone.#follow(signedIn, 'http://phone.example');
    return phone;
  }

  /** Scans the code with this path, and opens the confirm page. @returns a function that sends the approval */
  async scan(code: string): Promise<SendApproval> {
    const landing = await this.#get(code);
    const ticket = locationOf(await this.#post(code, `csrf=${csrfIn(landing)}`), 'the scan');
    const confirm = await this.#get(ticket);
    const request = this.#form(ticket, `csrf=${csrfIn(confirm)}&decision=approve`);
    return async () => {
      locationOf(await this.#connections.send(request), 'Approve');
    };
  }

  /** Follows redirects until the address contains `until`. @returns that address */
  async #follow(answer: Answer, until: string): Promise<string> {
    const path = locationOf(answer, 'signing in');
    return path.includes(until) ? path : this.#follow(await this.#get(path), until);
  }

  #get(path: string): Promise<Answer> {
    return this.#send(pageRequest(this.#site, path, { address: this.#address, cookie: this.#cookies.headerFor(path) }));
  }

  #post(path: string, fields: string): Promise<Answer> {
    return this.#send(this.#form(path, fields));
  }

  #form(path: string, fields: string): string {
    return formRequest(this.#site, path, { address: this.#address, cookie: this.#cookies.headerFor(path), fields });
  }

  async #send(request: string): Promise<Answer> {
    const answer = await this.#connections.send(request);
    this.#cookies.take(answer.head);
    return answer;
  }
}

function locationOf({ status, head, body }: Answer, step: string): string {
  const location = /\r\nlocation: (\S+)/i.exec(head)?.[1];
  if (location === undefined) throw new Error(`${step} was answered with ${status}: ${body.slice(0, 200)}`);
  const { pathname, search, host } = new URL(location, 'http://here');
  return host.endsWith('.example') ? location : pathname + search;
}

function csrfIn({ status, body }: Answer): string {
  const csrf = /name="csrf" value="([^"]+)"/.exec(body)?.[1];
  if (csrf === undefined) throw new Error(`there is no form in an answer with ${status}`);
  return csrf;
}
