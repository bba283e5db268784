/** `npm run cluster`: three nodes behind nginx, sharing one Redis, and the demo RP to sign in to. */
import { endAtSignal } from '../graceful.ts';
import { portFrom } from '../ports.ts';
import { type Cluster, type Node, startCluster } from './cluster.ts';

/** The time limit for the shutdown: the nodes end first, within a limit of their own, then nginx and Redis. */
const SHUTDOWN_MS = 15_000;

const print = (line: string): boolean => process.stdout.write(`${line}\n`);

let cluster: Cluster | undefined;
let isStopping = false;
// Register this before anything starts, so that a signal during the start leaves no process behind.
endAtSignal(async () => {
  isStopping = true;
  if (cluster === undefined) process.exit(1);
  await cluster.stop();
}, SHUTDOWN_MS);
process.on('SIGHUP', () => process.exit(1));

cluster = await startCluster({
  port: portFrom('PORT', 3000),
  rpPort: portFrom('RP_PORT', 3001),
  ...(process.env.REDIS_PORT !== undefined && { redisPort: portFrom('REDIS_PORT', 6379) }),
  log: (name, line) => print(`[${name}] ${line}`),
}).catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
const { issuer, rpUrl, redisUrl, nodes } = cluster;

print(`Browser:  open ${rpUrl} and choose "Sign in"`);
print('Phone:    copy the link below the code to a private window, or run: npm run phone -- <address>');
print(`nginx:    ${issuer}, in turn to`);
for (const node of nodes) {
  print(`  ${node.name}  ${node.url}/health, Prometheus: ${node.metricsUrl}, process ${node.child().process.pid}`);
}
print(`Redis:    ${redisUrl}`);
print('Ctrl-C ends them all. A node that you end (kill, kill -9) is started anew.');

await Promise.all(nodes.map(keepRunning));

/** Restarts a node each time that it ends, until the cluster stops. */
async function keepRunning(node: Node): Promise<void> {
  for (;;) {
    await node.child().gone;
    if (isStopping) return;
    await node.restart();
    print(`[${node.name}] had ended, and is there again as process ${node.child().process.pid}`);
  }
}
