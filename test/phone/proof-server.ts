/** A small HTTP server that verifies the DPoP proofs of requests (RFC 9449), and sends the answers of a test. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { EmbeddedJWK, type JWTPayload, jwtVerify } from 'jose';
import { memorySigner, Phone, type PhoneOptions } from '../../src/phone/index.ts';
import { listen } from '../support/server.ts';

export interface SeenRequest {
  readonly method: string;
  /** The path and the query. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
  readonly proof: JWTPayload;
  readonly response: ServerResponse;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** The body. It is sent as JSON, or unchanged if it is a string. */
  readonly body?: unknown;
}

/** Returns the reply, or undefined if the function itself sends the answer or the request is to get no answer. */
export type Answerer = (request: SeenRequest) => Reply | undefined | Promise<Reply | undefined>;

export class ProofServer {
  readonly issuer: string;
  /** All requests whose proof is valid, in the order in which they arrived. */
  readonly requests: SeenRequest[] = [];
  /** The errors of requests without a valid proof. */
  readonly faults: unknown[] = [];
  readonly #server: Server;

  private constructor(issuer: string, server: Server) {
    this.issuer = issuer;
    this.#server = server;
  }

  /** @param path the path of the issuer */
  static async start(answer: Answerer, path: string = ''): Promise<ProofServer> {
    const server = createServer();
    const self = new ProofServer((await listen(server)) + path, server);
    server.on('request', async (request, response) => {
      try {
        const { method = '', url = '', headers } = request;
        const sent = await text(request);
        const proof = await verifyProof(`${headers.dpop}`, `${headers.authorization}`);
        const { origin } = new URL(self.issuer);
        if (proof.htm !== method || proof.htu !== origin + url.split('?')[0])
          throw new Error(`the proof is for ${proof.htm} ${proof.htu}`);
        const body: unknown = sent === '' ? undefined : JSON.parse(sent);
        const seen: SeenRequest = { method, target: url, headers, body, proof, response };
        self.requests.push(seen);
        const reply = await answer(seen);
        if (reply !== undefined) send(response, reply);
      } catch (error) {
        self.faults.push(error);
        send(response, { status: 500, body: { error: 'server_error', error_description: `${error}` } });
      }
    });
    return self;
  }

  /** Starts a server for one test, and stops it even if the test fails. */
  static async during(answer: Answerer, act: (server: ProofServer) => Promise<void>, path?: string): Promise<void> {
    const server = await ProofServer.start(answer, path);
    try {
      await act(server);
    } finally {
      server.stop();
    }
    if (server.faults.length > 0) throw server.faults[0];
  }

  async phone(options: Partial<PhoneOptions> = {}): Promise<Phone> {
    return new Phone({ issuer: this.issuer, accessToken: 'a token', signer: await memorySigner(), ...options });
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** Verifies a proof and that it is for this token (RFC 9449, section 4.3). @returns its content */
async function verifyProof(proof: string, authorization: string): Promise<JWTPayload> {
  const [scheme, token = ''] = authorization.split(/ (.*)/);
  if (scheme !== 'DPoP') throw new Error(`the scheme is ${scheme}, not DPoP`);
  const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, { typ: 'dpop+jwt' });
  if (protectedHeader.jwk !== undefined && 'd' in protectedHeader.jwk) throw new Error('the proof has a private key');
  if (payload.ath !== createHash('sha256').update(token).digest('base64url'))
    throw new Error('the proof is for another token');
  if (typeof payload.jti !== 'string' || payload.jti.length < 16) throw new Error('the proof has no id');
  return payload;
}

function send(response: ServerResponse, { status = 200, headers = {}, body }: Reply): void {
  const isText = typeof body === 'string';
  const type = isText ? 'text/html' : 'application/json; charset=utf-8';
  response.writeHead(status, { 'Content-Type': type, ...headers });
  response.end(isText ? body : body === undefined ? undefined : JSON.stringify(body));
}
