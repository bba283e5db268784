/**
 * Defines two properties of each store. The model predicts each walk (a random sequence of acts), and an order of the
 * acts explains each race (acts at the same time).
 */
import { expect } from 'chai';
import fc, { type IAsyncProperty, type Scheduler } from 'fast-check';
import { APPROVERS, type Plan, plans, type Setup, setups, timelessPlans } from './acts.ts';
import { Model } from './model.ts';
import { expectRules } from './rules.ts';
import { Scene, type Stores, type StoreWrapper } from './scene.ts';
import { ScheduledStore } from './stores.ts';
import { actOf, findOrder, type RaceResult, Step, type Tally } from './walk.ts';

/** Makes the stores of one walk. The walk may leave its records there. */
export type MakeStores = () => Stores & { readonly close?: () => void };

export interface WalkOptions {
  /** A fault of the store. */
  readonly around?: StoreWrapper | undefined;
  readonly tally?: Tally;
  /** Waits until the watchers have received all changes, if that takes time. */
  readonly waitForSignals?: (scene: Scene) => Promise<void>;
}

export interface RaceOptions extends WalkOptions {
  readonly timePasses?: boolean;
}

/** Returns the property of walks: each act in a sequence ends as the model predicts. */
export function walksOn(
  grounds: MakeStores,
  { around, tally, waitForSignals: hearing }: WalkOptions = {},
): IAsyncProperty<unknown[]> {
  const walk = fc.commands([plans.map((plan) => new Step(plan, tally))], { maxCommands: 60, size: 'max' });
  const property = fc.asyncProperty(setups, successions, walk, async (setup, before, steps) => {
    await withScene(grounds, setup, around, async (scene) => {
      const model = new Model(setup);
      for (const plan of before) await new Step(plan, tally).run(model, scene);
      await fc.asyncModelRun(() => ({ model, real: scene }), steps);
      await hearing?.(scene);
      expectRules(scene);
    });
  });
  return property as unknown as IAsyncProperty<unknown[]>;
}

interface Race {
  readonly setup: Setup;
  /** The acts before the race, one after the other. */
  readonly before: readonly Plan[];
  /** The acts at the same time. */
  readonly atOnce: readonly Plan[];
}

/**
 * Returns the property of races: a sequence of acts, and then simultaneous acts with their store accesses in any order.
 */
export function racesOn(
  grounds: MakeStores,
  { around, waitForSignals: hearing, timePasses }: RaceOptions = {},
): IAsyncProperty<unknown[]> {
  const race: fc.Arbitrary<Race> = fc.record({
    setup: setups,
    before: beginnings,
    atOnce: fc.array(timePasses ? plans : timelessPlans, { minLength: 2, maxLength: 5 }),
  });
  const property = fc.asyncProperty(race, fc.scheduler(), async ({ setup, before, atOnce }, scheduler) => {
    let isScheduled = false;
    const taking: StoreWrapper = (store) => {
      const broken = around?.(store) ?? store;
      const scheduled = new ScheduledStore(broken, scheduler);
      return pick(broken, scheduled, () => isScheduled);
    };
    await withScene(grounds, setup, taking, async (scene) => {
      const model = new Model(setup);
      for (const plan of before) await new Step(plan).run(model, scene);
      isScheduled = true;
      const raced = await atTheSameTime(atOnce, model, scene, scheduler);
      isScheduled = false;
      await hearing?.(scene);
      expectRules(scene);
      if (timePasses) return;
      const order = await findOrder(raced, model, scene);
      expect(order, `no order explains ${JSON.stringify(raced, null, 1)}`).not.to.equal(undefined);
    });
  });
  return property as unknown as IAsyncProperty<unknown[]>;
}

/** Tickets that replace each other, each scanned by one of the phones. */
const successions: fc.Arbitrary<readonly Plan[]> = fc
  .array(fc.nat({ max: APPROVERS.length - 1 }), { maxLength: 3 })
  .map((phones) =>
    phones.flatMap((phone) => [...renewal, { do: 'scan', phone, ticket: '#0', looksFirst: false, verdict: 'allow' }]),
  );
const renewal: readonly Plan[] = [{ do: 'renew', browser: 0, at: 0, seen: undefined }];

/** The steps of an ordinary sign-in. Most races begin after some of them, with a live ticket to race for. */
const usual: readonly Plan[] = [
  { do: 'show', browser: 0, at: 0 },
  { do: 'scan', phone: 0, ticket: '#0', looksFirst: false, verdict: 'allow' },
  { do: 'approve', phone: 0, ticket: '#0', looksFirst: false, verdict: 'check code', remember: false },
];
const beginnings: fc.Arbitrary<readonly Plan[]> = fc
  .tuple(fc.nat({ max: 3 }), fc.array(plans, { maxLength: 6 }), fc.boolean())
  .map(([steps, more, withCode]) => {
    const begun = usual
      .slice(0, steps)
      .map((plan) => (plan.do === 'approve' && !withCode ? ({ ...plan, verdict: 'allow' } as const) : plan));
    return [...more, ...begun];
  });

async function atTheSameTime(
  plans: readonly Plan[],
  model: Model,
  scene: Scene,
  scheduler: Scheduler,
): Promise<RaceResult> {
  const acts = plans.map((plan) => actOf(plan, model, scene));
  const racing = acts.map(async (act) => {
    await scheduler.schedule(Promise.resolve(), JSON.stringify(act));
    return { act, ending: await scene.act(act) };
  });
  return scheduler.waitFor(Promise.all(racing));
}

function pick(plain: Stores['store'], scheduled: Stores['store'], isScheduled: () => boolean): Stores['store'] {
  const now = (): Stores['store'] => (isScheduled() ? scheduled : plain);
  return {
    create: (ticket) => now().create(ticket),
    find: (id) => now().find(id),
    findByInteraction: (uid) => now().findByInteraction(uid),
    swap: (previous, next, ended) => now().swap(previous, next, ended),
  };
}

async function withScene(
  grounds: MakeStores,
  setup: Setup,
  around: StoreWrapper | undefined,
  act: (scene: Scene) => Promise<void>,
): Promise<void> {
  const ground = grounds();
  const scene = new Scene(setup, ground, around);
  try {
    await act(scene);
  } finally {
    scene.close();
    ground.close?.();
  }
}
