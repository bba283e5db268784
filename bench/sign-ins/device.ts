/** A person's browser or phone. */
import { formRequest, objectRequest, pageRequest, type Sender, type Site, scriptRequest } from '../load/chromium.ts';
import type { Answer } from '../load/connection.ts';
import { Cookies } from '../load/cookies.ts';
import { personAddress } from '../load/source-address.ts';
import { EventStream } from './event-stream.ts';
import type { Nodes } from './nodes.ts';

let people = 0;

export class Device {
  readonly #nodes: Nodes;
  readonly #site: Site;
  readonly #address: string;
  readonly #cookies = new Cookies();

  constructor(nodes: Nodes) {
    this.#nodes = nodes;
    this.#site = { origin: nodes.origin, port: nodes.port };
    people += 1;
    this.#address = personAddress(people);
  }

  /** Opens a page. */
  open(path: string, from: Sender['from'] & string): Promise<Answer> {
    return this.#send(pageRequest(this.#site, path, { ...this.#sender(path), from }));
  }

  /** Sends a form. */
  submit(path: string, fields: Readonly<Record<string, string>>): Promise<Answer> {
    const form = new URLSearchParams(fields).toString();
    return this.#send(formRequest(this.#site, path, { ...this.#sender(path), fields: form }));
  }

  /** As a page's script sends an object. */
  post(path: string, object: Readonly<Record<string, string>>): Promise<Answer> {
    return this.#send(objectRequest(this.#site, path, { ...this.#sender(path), json: JSON.stringify(object) }));
  }

  /** The request of a page's script that asks for an object. */
  pollOf(path: string): string {
    return scriptRequest(this.#site, path, { ...this.#sender(path), accept: 'application/json' });
  }

  listen(path: string): EventStream {
    const request = scriptRequest(this.#site, path, { ...this.#sender(path), accept: 'text/event-stream' });
    return new EventStream(this.#nodes.port, request);
  }

  /** Its session has ended meanwhile: it has only what it keeps for longer. */
  endSession(): void {
    this.#cookies.forgetAllBut('_qr_memory');
  }

  #sender(path: string): Sender {
    return { address: this.#address, cookie: this.#cookies.for(path) };
  }

  async #send(request: string): Promise<Answer> {
    const answer = await this.#nodes.send(request);
    this.#cookies.take(answer.head);
    return answer;
  }
}
