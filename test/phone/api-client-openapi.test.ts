import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Fetch, memorySigner, Phone } from '../../src/phone/index.ts';
import { ROOT, STRICT } from '../support/packed.ts';
import { World } from '../support/world.ts';
import { declareSchemas, type Schema, typeOf } from './schema-types.ts';
import { CODE, viewOf } from './views.ts';

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

interface Operation {
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: Schema } } };
}

/**
 * Fails to compile unless two types have the same members. The types are also compared with all members required,
 * because a missing optional member would go unnoticed otherwise.
 */
const COMPARISON = `
import type * as library from 'oidc-provider-qr-login/phone';
type Whole<T> = T extends readonly (infer E)[] ? readonly Whole<E>[] : T extends object ? { readonly [K in keyof T]-?: Whole<T[K]> } : T;
type Fits<A, B> = [A] extends [B] ? true : false;
type Same<A, B> = [Fits<A, B>, Fits<B, A>, Fits<Whole<A>, Whole<B>>, Fits<Whole<B>, Whole<A>>];
type AllTrue = [true, true, true, true];
const isTrue = <T extends AllTrue>(_: T): void => undefined;
declare const compared: {
  ticket: Same<Ticket, library.TicketView>;
  requirement: Same<NonNullable<Ticket['requirement']>, library.Requirement>;
  browser: Same<Browser, library.BrowserEntry>;
  request: Same<PendingRequest, library.RequestEntry>;
  place: Same<NonNullable<Browser['place']>, library.Place>;
  scope: Same<Ticket['scopes'][number], library.NamedText>;
  approve: Same<Omit<DecisionBody, 'decision' | 'signature'>, Omit<library.ApproveOptions, 'signal'>>;
};
isTrue(compared.ticket);
isTrue(compared.requirement);
isTrue(compared.browser);
isTrue(compared.request);
isTrue(compared.place);
isTrue(compared.scope);
isTrue(compared.approve);
`;

describe("the library for apps and the server's description of the API", () => {
  let description: OpenApi;

  before(() =>
    World.during({}, async ({ issuer }) => {
      description = (await (await fetch(`${issuer}/qr/api/openapi.json`)).json()) as OpenApi;
    }),
  );

  it('have the same types', () => {
    const decision = bodyOf('/qr/api/tickets/{id}/decision');
    const types = `${declareSchemas(description.components.schemas)}type DecisionBody = ${typeOf(decision)};\n`;
    expect(compile(types + COMPARISON)).to.equal('');
    // Tests of the comparison: it finds a member that only one type has, even an optional one.
    const longer = types.replace('type Ticket = {', 'type Ticket = { readonly more?: string;');
    expect(compile(longer + COMPARISON)).to.include('TS2345');
  });

  it('have the same requests', async () => {
    const sent = await requestsOfLibrary();
    const described = Object.entries(description.paths)
      .flatMap(([path, operations]) => Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`))
      // Leave out the requests that clients send, and the one for this description, which any program may send.
      .filter((operation) => operation.includes('/qr/api/') && !operation.endsWith('/openapi.json'));
    expect([...new Set(sent.map(({ operation }) => operation))]).to.have.members(described);
    const decisions = sent.flatMap(({ body }) => (body.decision === undefined ? [] : [body.decision]));
    const { properties } = bodyOf('/qr/api/tickets/{id}/decision') as { properties: { decision: { enum: unknown[] } } };
    expect(decisions).to.have.members(properties.decision.enum);
  });

  function bodyOf(path: string): Schema {
    const schema = description.paths[path]?.post?.requestBody?.content['application/json'].schema;
    if (schema === undefined) throw new Error(`${path} has no body`);
    return schema;
  }
});

/** Calls every method of the library. @returns the requests, with path parameters instead of ids */
async function requestsOfLibrary(): Promise<{ operation: string; body: Record<string, unknown> }[]> {
  const sent: { operation: string; body: Record<string, unknown> }[] = [];
  const fetch: Fetch = async (url, { method, body = '{}' }) => {
    const path = new URL(url).pathname
      .replace(/(tickets)\/[^/]+/, '$1/{id}')
      .replace(/(browsers)\/.+/, '$1/{browser}')
      .replace(/(requests)\/.+/, '$1/{id}');
    sent.push({ operation: `${method} ${path}`, body: JSON.parse(body) });
    const lists = path.endsWith('browsers')
      ? { browsers: [{ id: 'b' }] }
      : path.endsWith('requests') && { requests: [{ id: 'r' }] };
    const answer = lists || viewOf();
    return {
      status: method === 'DELETE' ? 204 : 200,
      headers: new Headers(),
      text: async () => JSON.stringify(answer),
    };
  };
  const signer = await memorySigner();
  const phone = new Phone({ issuer: 'https://id.example', accessToken: 'a token', signer, fetch });
  await phone.scanShortCode('2345-678F');
  await phone.ticket('t');
  const ticket = await phone.scan(CODE);
  await ticket.refresh();
  for (const decision of ['approve', 'deny', 'report', 'unable'] as const) await ticket[decision]();
  for (const browser of await phone.browsers()) {
    await browser.stay('8h');
    await browser.signOut();
  }
  await phone.signOutBrowsers();
  for (const { id } of await phone.requests()) await phone.openRequest(id);
  return sent;
}

/** Compiles a program that uses the built package. @returns the errors of the compiler */
function compile(program: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'qr-login-types-'));
  try {
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(ROOT, join(folder, 'node_modules/oidc-provider-qr-login'));
    writeFileSync(join(folder, 'program.ts'), program);
    const compilerOptions = { ...STRICT, types: [], noEmit: true };
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }));
    return spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['--project', folder], { encoding: 'utf8' }).stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
