/**
 * Declares the names that the fragments of a page use but do not define: names from the reader's code, and imports that
 * the page has shown before.
 */

const OURS = `import('oidc-provider-qr-login')`;

/** The names that every page may use, because the README and its example define them. */
const EVERYWHERE = `
declare const issuer: string;
declare const configuration: import('oidc-provider').Configuration;
declare const findAccount: ${OURS}.FindAccount;
declare const signIn: ${OURS}.SignIn;
declare const Provider: typeof import('oidc-provider').Provider;
declare const Keyv: typeof import('keyv').Keyv;
declare const KeyvRedis: typeof import('@keyv/redis').default;
declare const qrLogin: typeof ${OURS}.qrLogin;
declare const keyvAdapter: typeof ${OURS}.keyvAdapter;
`;

const BY_PAGE: Readonly<Record<string, string>> = {
  'docs/stores.md': `
declare const makeMyEngine: ${OURS}.MakeStoreEngine;
declare const callbacks: ${OURS}.BackgroundCallbacks;
`,
  'docs/options.md': `
declare const publicKey: string;
declare const privateKey: string;
declare const accounts: Map<string, { name: string }>;
declare const database: { lookUp(address: string): Promise<${OURS}.Place | undefined> };
declare const newSecret: string;
declare const oldSecret: string;
declare function isAttested(clientId: string, keyId: string): boolean;
declare function isPinOf(accountId: string, pin: string): Promise<boolean>;
declare function accountIdOf(loginHint: string): string | undefined;
declare function sendPush(accountId: string, url: string): Promise<void>;
declare function sendMail(accountId: string, text: string): Promise<void>;
declare function alarm(text: string): void;
declare function log(code: string, from?: string): void;
declare const assessByDefault: typeof ${OURS}.assessByDefault;
declare const ProofRefused: typeof ${OURS}.ProofRefused;
type Context = import('koa').Context;
declare const localAuthentication: typeof ${OURS}.localAuthentication;
declare const op: InstanceType<typeof Provider>;
declare const registration: import('oidc-provider-qr-login/passkeys').PasskeyRegistration;
declare const records: Omit<import('oidc-provider-qr-login/passkeys').PasskeyOptions, 'issuer'>;
type ApproveGuard = ${OURS}.ApproveGuard;
/** Declared as a plain emitter, because the types of oidc-provider do not know the plugin's events. */
declare const provider: import('node:events').EventEmitter;
`,
  'docs/actions.md': `
declare const qr: ${OURS}.QrLogin;
declare const provider: import('oidc-provider').Provider;
declare function accountOf(ctx: import('koa').Context): Promise<string>;
declare function changeMail(address: string): Promise<void>;
declare function log(error: unknown): void;
declare const jwt: string;
declare const database: { insertOnce(id: string, expiresAt: number): Promise<boolean> };
`,
  'docs/push.md': `
declare const publicKey: string;
declare const privateKey: string;
declare function sendPush(accountId: string, url: string): Promise<void>;
`,
  'docs/ciba.md': `
declare const accounts: { idOf(loginHint: string): string | undefined };
declare const push: { send(accountId: string, text: string, url: string): Promise<void> };
declare const clients: import('oidc-provider').ClientMetadata[];
declare const secret: string;
declare function showToTheAgent(message: string): void;
`,
  'docs/console.md': `
declare const qr: ${OURS}.QrLogin;
declare const act: ${OURS}.AdminAct;
declare const decisions: readonly ${OURS}.DecisionRecord[];
declare const response: import('node:http').ServerResponse;
declare const provider: import('oidc-provider').Provider;
declare const jwks: { readonly keys: readonly object[] };
declare function log(lost: object): void;
declare function readJson(ctx: import('koa').Context): Promise<unknown>;
declare const requireReceiver: import('koa').Middleware;
declare const requireOperator: import('koa').Middleware;
declare const router: {
  post(
    path: string,
    guard: import('koa').Middleware,
    handler: (ctx: import('koa').Context & { params: { id: string } }) => Promise<void>,
  ): void;
};
`,
  'docs/theming.md': `
declare const qr: ${OURS}.QrLogin;
declare const provider: import('oidc-provider').Provider;
`,
  'docs/apps-library.md': `
declare const accessToken: string;
declare const signer: import('oidc-provider-qr-login/phone').Signer;
declare const text: string;
declare const phone: import('oidc-provider-qr-login/phone').Phone;
declare const ticket: import('oidc-provider-qr-login/phone').Ticket;
declare const tokens: { readonly current: string; refresh(): Promise<string> };
declare const nativeKey: { publicJwk(): Promise<typeof signer.publicJwk>; sign(bytes: Uint8Array): Promise<Uint8Array> };
declare const grant: Record<string, string>;
declare const storage: { get(name: string): Promise<string> };
declare const signal: AbortSignal;
declare function askUser(question: string | object): Promise<string>;
declare function show(text: string): void;
declare function signIn(parameters: { max_age: number | undefined; acr_values: string | undefined }): Promise<void>;
`,
  'docs/operations.md': 'declare const password: string;',
};

export function preludeOf(path: string): string {
  return EVERYWHERE + (BY_PAGE[path] ?? '');
}

/** Returns the names that are declared for this page only. */
export function namesGivenTo(path: string): string[] {
  return [...(BY_PAGE[path] ?? '').matchAll(/(?:const|function|type) (\w+)/g)].map(([, name]) => String(name));
}
