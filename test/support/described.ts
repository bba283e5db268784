/** Checks each answer that an app gets in a test against the API's own description. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

type Json = Readonly<Record<string, unknown>>;

interface DescribedAnswer {
  readonly headers?: Json;
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}

interface DescribedOperation {
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
  readonly responses: Readonly<Record<string, DescribedAnswer>>;
}

export interface ApiDocument extends Json {
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>;
}

/** The description is the same for each provider of this process, apart from its issuer. */
let description: Promise<Description> | undefined;

export function fetchDescription(issuer: string): Promise<Description> {
  description ??= fetch(`${issuer}/qr/api/openapi.json`).then(
    async (answer) => new Description((await answer.json()) as ApiDocument),
  );
  return description;
}

export class Description {
  readonly document: ApiDocument;
  readonly #ajv = new Ajv2020({ strict: false, validateFormats: false });
  readonly #validators = new Map<object, ValidateFunction>();

  constructor(document: ApiDocument) {
    this.document = document;
    this.#ajv.addSchema({ $id: 'api', ...document });
  }

  /** Ensures that the description contains this answer. @throws Error if the answer differs from it */
  assertAnswer(
    method: string,
    path: string,
    { status, headers, text }: Pick<DescribedInput, 'status' | 'headers' | 'text'>,
  ): void {
    const operation = this.operationOf(method, path);
    if (operation === undefined || status === 405) return;
    const answer = operation.responses[status];
    const what = `${method} ${path} → ${status} ${text}`;
    if (answer === undefined) throw new Error(`${what} is not in the description of the API`);
    const isStream = headers.get('content-type')?.startsWith('text/event-stream');
    if (isStream) return;
    for (const name of ['location', 'www-authenticate', 'retry-after', 'dpop-nonce']) {
      const isDescribed = Object.keys(answer.headers ?? {}).some((header) => header.toLowerCase() === name);
      if (headers.has(name) && !isDescribed)
        throw new Error(`${what} has ${name}, which is not in the description of the API`);
    }
    const schema = answer.content?.['application/json']?.schema;
    if (schema === undefined) {
      if (text !== '') throw new Error(`${what} has a body that is not in the description of the API`);
      return;
    }
    const errors = this.#errorsOf(schema, JSON.parse(text));
    if (errors !== undefined) throw new Error(`${what} differs from the description of the API: ${errors}`);
  }

  /** Returns true if the description allows this body. */
  allowsBody(method: string, path: string, body: unknown): boolean {
    const schema = this.operationOf(method, path)?.requestBody?.content['application/json']?.schema;
    if (schema === undefined) throw new Error(`${method} ${path} takes no body`);
    return this.#errorsOf(schema, body) === undefined;
  }

  operationOf(method: string, path: string): DescribedOperation | undefined {
    const found = Object.entries(this.document.paths).find(([template]) =>
      new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`).test(path),
    );
    return found?.[1][method.toLowerCase()];
  }

  #errorsOf(schema: object, value: unknown): string | undefined {
    const validate = this.#validators.get(schema) ?? this.#ajv.compile(absolute(schema));
    this.#validators.set(schema, validate);
    return validate(value) ? undefined : this.#ajv.errorsText(validate.errors);
  }
}

interface DescribedInput {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Makes the references of a schema independent of the place where it stands. */
function absolute(schema: object): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"api#/'));
}
