import type { BrowserActs } from '../../ticket/browser.ts';
import { readBrowserKey } from '../../ticket/browsers/browser-key.ts';
import type { Codes } from '../../ticket/codes/code.ts';
import { notFound, QrLoginError } from '../../ticket/errors.ts';
import type { Clock } from '../../ticket/ports.ts';
import type { Enrolments } from '../devices/enrolments.ts';
import type { PromptForm } from './browser-request.ts';

export interface ShownKeyPorts {
  readonly ceremony: { readonly browser: Pick<BrowserActs, 'look'> };
  readonly enrolments: Pick<Enrolments, 'isOffered' | 'noteShown'>;
  readonly codes: Pick<Codes, 'idOf' | 'isFresh'>;
  readonly clock: Clock;
}

/** Accepts a browser's proof that it shows a code and has the private part of its key. */
export class ShownKeyHandlers {
  readonly #ports: ShownKeyPorts;

  constructor(ports: ShownKeyPorts) {
    this.#ports = ports;
  }

  /**
   * `POST /interaction/:uid/qr/key`: the browser's public key, and its signature of the code on the screen. The code is
   * made by the server, names the ticket, and is good for half a minute, so that no signature can be made in advance or
   * used again.
   */
  note = async (form: PromptForm<'login'>): Promise<void> => {
    const { ceremony, enrolments, codes, clock } = this.#ports;
    const { ctx, fields, identity } = form;
    if (!enrolments.isOffered) throw notFound();
    const { key = '', code = '', signature = '' } = fields;
    const publicKey = readBrowserKey(key);
    const ticket = await ceremony.browser.look(identity);
    const isShown = ticket !== undefined && codes.idOf(code) === ticket.id && codes.isFresh(code, clock());
    if (!isShown || !(await enrolments.noteShown(ticket, publicKey, code, signature)))
      throw new QrLoginError('wrong_proof', 'The key must sign the code that this browser shows now.');
    ctx.body = {};
  };
}
