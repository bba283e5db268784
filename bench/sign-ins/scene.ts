/** Starts a provider, or several behind one address, and the simulated users who sign in there. */
import { type Program, start } from '../programs.ts';
import type { ProviderOptions } from '../servers/provider.ts';
import { Crowd } from './crowd.ts';
import { Nodes } from './nodes.ts';

export interface Scene {
  readonly providers: readonly Program[];
  readonly nodes: Nodes;
  readonly crowd: Crowd;
  readonly close: () => Promise<void>;
}

/** Starts the providers. @param count the number of nodes, which share one Redis and get requests in turn */
export async function openScene(options: ProviderOptions = {}, count = 1): Promise<Scene> {
  const issuer = count === 1 ? {} : { issuer: 'http://provider.example' };
  const providers = await Promise.all(
    Array.from({ length: count }, () => start('servers/provider.ts', { ...options, ...issuer })),
  );
  const urls = await Promise.all(providers.map((provider) => provider.ask<string>('url')));
  const ports = urls.map((url) => Number(new URL(url).port));
  const nodes = new Nodes(count === 1 ? (urls[0] ?? '') : 'http://provider.example', ports);
  return {
    providers,
    nodes,
    crowd: new Crowd(nodes),
    close: async () => {
      nodes.close();
      await Promise.all(providers.map((provider) => provider.stop()));
    },
  };
}

/** Runs `act`. @returns the CPU time that all threads of the programs used meanwhile, in microseconds */
export async function cpuDuring(programs: readonly Program[], act: () => Promise<void>): Promise<number> {
  const before = await cpuUsedBy(programs);
  await act();
  return (await cpuUsedBy(programs)) - before;
}

async function cpuUsedBy(programs: readonly Program[]): Promise<number> {
  const usages = await Promise.all(programs.map((program) => program.usage()));
  return usages.reduce((sum, { cpu }) => sum + cpu, 0);
}
