/** What the fragments of a page leave to the reader: names that stand for something of theirs, and imports that were shown before. */

const OURS = `import('oidc-provider-qr-login')`;

/** On every page: the README's and the ten lines' own names. */
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
  'docs/options.md': `
declare const accounts: Map<string, { name: string }>;
declare const database: { lookUp(address: string): Promise<${OURS}.Place | undefined> };
declare const newSecret: string;
declare const oldSecret: string;
declare function isPinOf(accountId: string, pin: string): Promise<boolean>;
declare function sendMail(accountId: string, text: string): Promise<void>;
declare function alarm(text: string): void;
declare function log(code: string, from?: string): void;
declare const assessByDefault: typeof ${OURS}.assessByDefault;
declare const ProofRefused: typeof ${OURS}.ProofRefused;
type SignIn = ${OURS}.SignIn;
type ApproveGuard = ${OURS}.ApproveGuard;
/** What it is to JavaScript: its types know other events only. */
declare const provider: import('node:events').EventEmitter;
`,
  'docs/theming.md': `
declare const qr: ${OURS}.QrLogin;
declare const provider: import('oidc-provider').Provider;
type Configuration = import('oidc-provider').Configuration;
`,
  'docs/operations.md': 'declare const password: string;',
};

export function preludeOf(path: string): string {
  return EVERYWHERE + (BY_PAGE[path] ?? '');
}

/** Names that a page is given beside those that every page has. */
export function namesGivenTo(path: string): string[] {
  return [...(BY_PAGE[path] ?? '').matchAll(/(?:const|function|type) (\w+)/g)].map(([, name]) => String(name));
}
