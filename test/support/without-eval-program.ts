/** Shows that a provider renders its pages in a process without `eval` and `Function`. */
import { Provider } from 'oidc-provider';
import { qrLogin } from '../../src/index.ts';
import { serve } from './server.ts';

// Node's --disallow-code-generation-from-strings cannot be used: a dependency of koa generates code while it is loaded.
const refuse = (): never => {
  throw new EvalError('this process does not compile text to code');
};
globalThis.Function = new Proxy(Function, { apply: refuse, construct: refuse });
globalThis.eval = refuse;

const { origin, stop } = await serve((issuer) => {
  const qr = qrLogin({
    findAccount: () => ({ name: 'Alice' }),
    signIn: () => '/sign-in',
    ...(process.env.VIEWS && { views: process.env.VIEWS }),
  });
  const provider = new Provider(issuer, {
    clients: [{ client_id: 'app', client_secret: 'secret', redirect_uris: ['http://app.example.com/callback'] }],
    cookies: { keys: ['a key that is long enough to sign with'] },
    interactions: { policy: qr.policy, url: qr.interactionUrl },
    features: { devInteractions: { enabled: false } },
    ttl: { Interaction: 3600 },
  });
  qr.attach(provider);
  return { app: provider };
});
const start = await fetch(
  `${origin}/auth?client_id=app&response_type=code&scope=openid&redirect_uri=http://app.example.com/callback`,
  { redirect: 'manual' },
);
const cookie = start.headers.getSetCookie().map((set) => set.split(';')[0]);
const page = await fetch(new URL(start.headers.get('location') ?? '', origin), {
  headers: { cookie: cookie.join('; ') },
});
process.stdout.write(`${page.status} ${/<h1>.*<\/h1>/.exec(await page.text())}\n`);
await stop();
process.exit();
