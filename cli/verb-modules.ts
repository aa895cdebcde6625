import type { VerbContext } from './context.ts';

export interface VerbModule {
  /** Resolves with the exit code. */
  run(context: VerbContext): Promise<number>;
}

/** Loaded only when asked for: help and version must not wait for drivers. The bundle for boards has board-verb-modules.ts instead. */
export const MODULES: Record<string, () => Promise<VerbModule>> = {
  start: () => import('./verbs/start.ts'),
  agent: () => import('./verbs/agent.ts'),
  collector: () => import('./verbs/collector.ts'),
  dashboard: () => import('./verbs/dashboard.ts'),
  status: () => import('./verbs/status.ts'),
  audit: () => import('./verbs/audit.ts'),
  sensors: () => import('./verbs/sensors.ts'),
  config: () => import('./verbs/config.ts'),
};
