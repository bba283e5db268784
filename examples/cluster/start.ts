/** `npm run cluster`: three nodes behind nginx, sharing one Redis, and the demo RP to sign in to. */
import { endAtSignal } from '../graceful.ts';
import { portFrom } from '../ports.ts';
import { type Cluster, type Node, startCluster } from './cluster.ts';

/** Milliseconds: the nodes end first, within their own bound, then what they need. */
const BOUND = 15_000;

const say = (line: string): boolean => process.stdout.write(`${line}\n`);

let cluster: Cluster | undefined;
let ending = false;
// From the start: what is started already must not be left behind.
endAtSignal(async () => {
  ending = true;
  if (cluster === undefined) process.exit(1);
  await cluster.stop();
}, BOUND);
process.on('SIGHUP', () => process.exit(1));

cluster = await startCluster({
  port: portFrom('PORT', 3000),
  rpPort: portFrom('RP_PORT', 3001),
  ...(process.env.REDIS_PORT !== undefined && { redisPort: portFrom('REDIS_PORT', 6379) }),
  log: (name, line) => say(`[${name}] ${line}`),
}).catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
const { issuer, rpUrl, redisUrl, nodes } = cluster;

say(`Browser:  open ${rpUrl} and choose "Sign in"`);
say('Phone:    copy the link below the code to a private window, or run: npm run phone -- <address>');
say(`nginx:    ${issuer}, in turn to`);
for (const node of nodes) {
  say(`  ${node.name}  ${node.url}/health, Prometheus: ${node.metricsUrl}, process ${node.child().process.pid}`);
}
say(`Redis:    ${redisUrl}`);
say('Ctrl-C ends them all. A node that you end (kill, kill -9) is started anew.');

await Promise.all(nodes.map(keep));

async function keep(node: Node): Promise<void> {
  for (;;) {
    await node.child().gone;
    if (ending) return;
    await node.restart();
    say(`[${node.name}] had ended, and is there again as process ${node.child().process.pid}`);
  }
}
