import type { VerbModule } from './verb-modules.ts';

/** What a board needs, and nothing that would bring a store, a page or their drivers along: see provision/bundle/program.ts. */
export const MODULES: Record<string, () => Promise<VerbModule>> = {
  agent: () => import('./verbs/agent.ts'),
  sensors: () => import('./verbs/sensors.ts'),
  config: () => import('./verbs/config.ts'),
};
