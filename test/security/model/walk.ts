/** Takes the same acts in the model and in the real ceremony, in turn (a walk) or at the same time (a race). */
import { expect } from 'chai';
import type { AsyncCommand } from 'fast-check';
import { type Act, type Plan, settle } from './acts.ts';
import type { Ending, Model, Row } from './model.ts';
import type { Scene } from './scene.ts';

/** Counts the acts and the endings by their names. */
export type Tally = Map<string, number>;

/** One step of a walk. It runs in the model and in the real ceremony, whose tickets must be equal afterwards. */
export class Step implements AsyncCommand<Model, Scene> {
  readonly #plan: Plan;
  readonly #tally: Tally | undefined;

  constructor(plan: Plan, tally?: Tally) {
    this.#plan = plan;
    this.#tally = tally;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, scene: Scene): Promise<void> {
    const act = actOf(this.#plan, model, scene);
    const ending = await scene.act(act);
    expect(ending, JSON.stringify(act)).to.deep.equal(model.act(act, newIdIn(ending, model)));
    await expectAlike(model, scene);
    for (const name of [`does: ${act.do}`, nameOf(ending)]) this.#tally?.set(name, (this.#tally.get(name) ?? 0) + 1);
  }

  toString(): string {
    return JSON.stringify(this.#plan);
  }
}

export function actOf(plan: Plan, model: Model, scene: Scene): Act {
  return settle(plan, scene.ids, (at) => model.rowAt(at)?.version ?? 1);
}

/** Expects that all readable tickets of the real ceremony are as the model predicts. */
async function expectAlike(model: Model, scene: Scene): Promise<void> {
  const [real, predicted] = await readBoth(model, scene);
  expect(real).to.deep.equal(predicted);
}

type World = readonly (Row | undefined)[];

async function readBoth(model: Model, scene: Scene): Promise<[World, World]> {
  const real = [
    ...(await Promise.all([0, 1].map((at) => scene.rowAt(at)))),
    ...(await Promise.all(scene.ids.map((id) => scene.row(id)))),
  ];
  return [real, predict(model, scene)];
}

function predict(model: Model, { ids }: Scene): World {
  return [...[0, 1].map((at) => model.rowAt(at)), ...ids.map((id) => model.row(id))];
}

/** Acts at the same time, each with its ending. */
export type RaceResult = readonly { readonly act: Act; readonly ending: Ending }[];

/** Returns an order in which the acts, one after the other, would have led to the same endings and tickets, if any. */
export async function findOrder(raced: RaceResult, before: Model, scene: Scene): Promise<readonly Act[] | undefined> {
  const [real] = await readBoth(before, scene);
  return search({ model: before, left: raced, order: [] }, before, (model) => isSame(real, predict(model, scene)));
}

interface Path {
  readonly model: Model;
  readonly left: RaceResult;
  readonly order: readonly Act[];
}

function search(path: Path, before: Model, isThere: (model: Model) => boolean): readonly Act[] | undefined {
  if (path.left.length === 0) return isThere(path.model) ? path.order : undefined;
  for (const next of waysOn(path, before)) {
    const found = search(next, before, isThere);
    if (found !== undefined) return found;
  }
  return undefined;
}

function* waysOn({ model, left, order }: Path, before: Model): Generator<Path> {
  for (const [index, one] of left.entries()) {
    for (const after of continuations(model, before, one)) {
      yield { model: after, left: left.toSpliced(index, 1), order: [...order, one.act] };
    }
  }
  for (const noted of halfReports(model, left)) yield { model: noted, left, order };
}

/** Returns the models after this act, if it may come next. */
function continuations(model: Model, before: Model, { act, ending }: RaceResult[number]): Model[] {
  const after = model.copy();
  if (isSame(after.act(act, newIdIn(ending, model)), ending)) return [after];
  // If several renewals happen at the same time, the others get the new ticket of the first.
  const served = act.do === 'renew' && 'row' in ending && !ending.changed ? model.rowAt(act.at) : undefined;
  const isNew = served !== undefined && !before.rows.has(served.id) && model.isLive(served);
  return isNew && isSame({ row: served, changed: false }, ending) ? [model] : [];
}

/** Returns the models in which an unfinished report has written its note already. */
function halfReports(model: Model, left: RaceResult): Model[] {
  return left.flatMap(({ act }) => {
    if (act.do !== 'report') return [];
    const noted = model.copy();
    const same = left.filter(({ act: other }) => {
      return other.do === 'report' && other.phone === act.phone && other.ticket === act.ticket;
    });
    if (model.notedBy(act) >= same.length) return [];
    const ending = noted.act({ do: 'note', phone: act.phone, ticket: act.ticket }, '');
    return 'refused' in ending ? [] : [noted];
  });
}

function newIdIn(ending: Ending, model: Model): string {
  return 'row' in ending && !model.rows.has(ending.row.id) ? ending.row.id : 'an unknown ticket';
}

function nameOf(ending: Ending): string {
  if ('refused' in ending) return ending.refused;
  if ('answer' in ending) return `${ending.answer}`;
  const { state, because } = ending.row;
  return `${state}${because === undefined ? '' : ` (${because})`}${ending.changed ? '' : ', as before'}`;
}

/** Compares plain values, with keys in any order. */
function isSame(one: unknown, other: unknown): boolean {
  return canonical(one) === canonical(other);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  );
}
