/**
 * Repeats one request and prints the CPU time of the provider by area, file and function. The first argument is a step
 * of a sign-in, or `whole` (a sign-in in a new browser), `known` (a sign-in in a known browser), `app` (a sign-in that
 * an app approves) or `poll`. The second is the number of repetitions.
 *
 *     node --import ./scripts/typescript.mjs bench/hot.ts 'POST Q/tickets/:id' 600
 */
import { profileDuring, sortByTime } from './measures/profile.ts';
import { each } from './sign-ins/crowd.ts';
import { QrSignIn } from './sign-ins/qr-sign-in.ts';
import { openScene } from './sign-ins/scene.ts';
import { complete } from './sign-ins/sign-in.ts';

const MOST_LINES = 45;
const AT_A_TIME = 4;
const [what = 'whole', wanted = '600'] = process.argv.slice(2);
const times = Number(wanted);

const scene = await openScene();
const { crowd, nodes } = scene;
await crowd.prepareNew(2 * times);
await crowd.prepareKnown(2 * times);
await crowd.prepareApps(2 * times);
const isByApp = what === 'app' || what.includes('Q/api/');
const begin = () =>
  what === 'known' ? crowd.beginInKnownBrowser() : isByApp ? crowd.beginWithApp() : crowd.beginInNewBrowser();
await each(times, AT_A_TIME, () => complete(begin()));
const all = Array.from({ length: times }, begin);
const steps = all[0]?.steps.map(([name]) => name) ?? [];
const index = steps.indexOf(what === 'poll' ? 'GET I/qr/events' : what);
const isWhole = ['whole', 'known', 'app'].includes(what);
if (!isWhole && index < 0)
  throw new Error(`The first argument must be whole, known, app, poll, or one of: ${steps.join('; ')}`);
for (let step = 0; step < index; step += 1) await each(times, AT_A_TIME, async (one) => all[one]?.steps[step]?.[1]());

const { spent, cpu } = await profileDuring(scene, () =>
  each(times, AT_A_TIME, async (one) => {
    const signIn = all[one];
    if (signIn === undefined) return;
    if (isWhole) await complete(signIn);
    else if (what === 'poll' && signIn instanceof QrSignIn) await nodes.send(signIn.poll());
    else await signIn.steps[index]?.[1]();
  }),
);
await scene.close();

console.log(
  `# ${what}: ${Math.round(cpu / times)} µs, of which ${Math.round(spent.total / times)} µs on the main thread`,
);
for (const kind of ['areas', 'files', 'functions', 'withCalls'] as const) {
  console.log(`\n## ${kind}: µs, %`);
  for (const [name, time] of sortByTime(spent[kind]).slice(0, MOST_LINES)) {
    const share = ((100 * time) / spent.total).toFixed(1);
    console.log(`${String(Math.round(time / times)).padStart(6)} ${share.padStart(5)}  ${name}`);
  }
}
