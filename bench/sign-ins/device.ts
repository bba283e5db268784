/** Sends the requests of a simulated user's browser or phone, with its cookies. */
import { formRequest, objectRequest, pageRequest, type Sender, type Site, scriptRequest } from '../load/chromium.ts';
import type { Answer } from '../load/connection.ts';
import { Cookies } from '../load/cookies.ts';
import { personAddress } from '../load/source-address.ts';
import { EventStream } from './event-stream.ts';
import type { Nodes } from './nodes.ts';

let devices = 0;

export class Device {
  readonly #nodes: Nodes;
  readonly #site: Site;
  readonly #address: string;
  readonly #cookies = new Cookies();

  constructor(nodes: Nodes) {
    this.#nodes = nodes;
    this.#site = { origin: nodes.origin, port: nodes.nextPort() };
    devices += 1;
    this.#address = personAddress(devices);
  }

  /** The network address that the proxy reports. */
  get address(): string {
    return this.#address;
  }

  /** Opens a page. @param from the value of `Sec-Fetch-Site` */
  open(path: string, from: Sender['from'] & string): Promise<Answer> {
    return this.#send(pageRequest(this.#site, path, { ...this.#sender(path), from }));
  }

  /** Submits a form. */
  submit(path: string, fields: Readonly<Record<string, string>>): Promise<Answer> {
    const form = new URLSearchParams(fields).toString();
    return this.#send(formRequest(this.#site, path, { ...this.#sender(path), fields: form }));
  }

  /** Sends an object as JSON, as a page's script does. */
  post(path: string, object: Readonly<Record<string, string>>): Promise<Answer> {
    return this.#send(objectRequest(this.#site, path, { ...this.#sender(path), json: JSON.stringify(object) }));
  }

  /** Returns the request of a page's script that asks for JSON. */
  pollOf(path: string): string {
    return scriptRequest(this.#site, path, { ...this.#sender(path), accept: 'application/json' });
  }

  listen(path: string): EventStream {
    const request = scriptRequest(this.#site, path, { ...this.#sender(path), accept: 'text/event-stream' });
    return new EventStream(this.#nodes.nextPort(), request);
  }

  /** Deletes all cookies but the one by which the provider knows this browser, as if the session had ended. */
  endSession(): void {
    this.#cookies.forgetAllBut('_qr_memory');
  }

  #sender(path: string): Sender {
    return { address: this.#address, cookie: this.#cookies.headerFor(path) };
  }

  async #send(request: string): Promise<Answer> {
    const answer = await this.#nodes.send(request);
    this.#cookies.take(answer.head);
    return answer;
  }
}
