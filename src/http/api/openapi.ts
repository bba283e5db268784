import { ACTION_SCOPE } from '../../oidc/actions/action-token.ts';
import { APP_ALGORITHMS, APP_SCOPE } from '../../oidc/apps/app-challenge.ts';
import type { ErrorCode } from '../../ticket/errors.ts';
import type { PluginRequest } from '../request/plugin-request.ts';
import { allowOrigin } from './cors.ts';
import { type Operation, REFUSAL_SCHEMA } from './operations.ts';
import { SCHEMAS, type Schema } from './schemas.ts';

/** The version of the API. It changes when an app has to change. */
const API_VERSION = '1';

const HEADERS = {
  Location: { description: 'The URL of the ticket.', schema: { type: 'string', format: 'uri' } },
  DPoPNonce: { description: 'The nonce for the next proofs.', schema: { type: 'string' } },
  Challenge: { description: 'What to send instead.', schema: { type: 'string' } },
  RetryAfter: { description: 'Seconds.', schema: { type: 'integer' } },
};

function header(name: keyof typeof HEADERS): Schema {
  return { $ref: `#/components/headers/${name}` };
}

type StatusOf = (code: ErrorCode) => number;

/** The OpenAPI 3.1 description of the API. `routes.ts` adds each operation together with its route. */
export class ApiDescription {
  readonly #issuer: string;
  readonly #statusOf: StatusOf;
  readonly #paths: Record<string, Record<string, Schema>> = {};

  /** @param statusOf returns the status of a refusal */
  constructor(issuer: string, statusOf: StatusOf) {
    this.#issuer = issuer;
    this.#statusOf = statusOf;
  }

  /** @param path as the router has it: `/qr/api/tickets/:id` */
  add(path: string, method: string, operation: Operation): void {
    const names = [...path.matchAll(/:(\w+)/g)].map(([, name]) => `${name}`);
    const template = path.replace(/:(\w+)/g, '{$1}');
    this.#paths[template] = { ...this.#paths[template], [method]: describeOperation(operation, names, this.#statusOf) };
  }

  /** `GET /qr/api/openapi.json` */
  serve = ({ ctx }: PluginRequest): void => {
    allowOrigin(ctx);
    ctx.body = this.document();
  };

  document(): Schema {
    return {
      openapi: '3.1.0',
      info: {
        title: 'QR sign-in for apps',
        version: API_VERSION,
        summary: 'Scan the code of a browser with an app, and approve its sign-in.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: this.#issuer }],
      security: [{ dpop: [] }],
      tags: [
        { name: 'app', description: 'Requests of an app.' },
        { name: 'client', description: 'Requests of a client that asks for actions.' },
      ],
      paths: this.#paths,
      components: {
        securitySchemes: {
          client: {
            type: 'http',
            scheme: 'Bearer',
            description:
              `An access token of this provider with the scope ${ACTION_SCOPE}: of a client by itself (RFC 6749, section ` +
              '4.4) or of its user. A token that is bound to a key is sent with DPoP instead (RFC 9449).',
          },
          dpop: {
            type: 'http',
            scheme: 'DPoP',
            description:
              `An access token of this provider with the scope ${APP_SCOPE}, bound to a key, and a proof of that key in ` +
              `the header DPoP for each request (RFC 9449). Algorithms: ${APP_ALGORITHMS.join(', ')}.`,
          },
        },
        headers: HEADERS,
        schemas: SCHEMAS,
      },
    };
  }
}

function describeOperation(operation: Operation, names: readonly string[], statusOf: StatusOf): Schema {
  const { id, summary, description, body, query = {}, isPublic, isForClients } = operation;
  const inPath = names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
  const inQuery = Object.entries(query).map(([name, parameter]) => ({ name, in: 'query', ...parameter }));
  const parameters = [...inPath, ...inQuery];
  return {
    operationId: id,
    tags: [isForClients ? 'client' : 'app'],
    summary,
    description,
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && { requestBody: { required: true, content: asJson(body) } }),
    responses: responsesOf(operation, statusOf),
    ...(isPublic && { security: [] }),
    ...(isForClients && { security: [{ client: [] }, { dpop: [] }] }),
  };
}

function responsesOf({ answers, refusals, isPublic }: Operation, statusOf: StatusOf): Schema {
  const nonce = isPublic ? {} : { 'DPoP-Nonce': header('DPoPNonce') };
  const good = Object.entries(answers).map(([status, { description, schema, streams, hasLocation }]) => [
    status,
    {
      description,
      headers: { ...nonce, ...(hasLocation && { Location: header('Location') }) },
      ...(schema && { content: { ...asJson(schema), ...(streams && { 'text/event-stream': { schema: TEXT } }) } }),
    },
  ]);
  const refused = Object.entries(byStatus(refusals, statusOf)).map(([status, codes]) => [
    status,
    {
      description: `Refused: ${codes.join(', ')}.`,
      headers: {
        ...nonce,
        ...((status === '401' || status === '403') && { 'WWW-Authenticate': header('Challenge') }),
        ...((status === '429' || status === '503') && { 'Retry-After': header('RetryAfter') }),
      },
      content: asJson(REFUSAL_SCHEMA),
    },
  ]);
  return Object.fromEntries([...good, ...refused]);
}

function byStatus(codes: readonly ErrorCode[], statusOf: StatusOf): Record<string, ErrorCode[]> {
  const groups: Record<string, ErrorCode[]> = {};
  for (const code of codes) groups[statusOf(code)] = [...(groups[statusOf(code)] ?? []), code];
  return groups;
}

const TEXT: Schema = { type: 'string' };

function asJson(schema: Schema): Schema {
  return { 'application/json': { schema } };
}
