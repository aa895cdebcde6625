import type { NodeState } from '../../telemetry/node-state.ts';

/** What a tile shows: a node's state, or that the page itself is cut off. */
export type ShownState = NodeState | 'old';

const WORDS: Record<ShownState, string> = {
  live: 'live',
  warning: 'warning',
  late: 'late',
  silent: 'SILENT',
  stopped: 'stopped',
  expected: 'expected',
  stalled: 'stalled',
  old: 'old',
};

/** Each state has a shape of its own: colour alone says nothing to one man in twelve. */
const SHAPES: Record<ShownState, preact.JSX.Element> = {
  live: <circle cx="12" cy="12" r="9" />,
  warning: <path d="M12 2 23 21H1Z" />,
  late: <path d="M12 2a10 10 0 1 0 0 20 10 10 0 1 0 0-20Zm0 3v14a7 7 0 1 1 0-14Z" fill-rule="evenodd" />,
  silent: <path d="M12 0 24 12 12 24 0 12Zm-1.600 5.500v8h3.200v-8Zm0 10v3h3.200v-3Z" fill-rule="evenodd" />,
  stopped: <path d="M3 3h18v18H3Z" />,
  expected: (
    <circle cx="12" cy="12" r="8.500" fill="none" stroke="currentColor" stroke-width="3" stroke-dasharray="5 4" />
  ),
  stalled: <path d="M4 3h6v18H4Zm10 0h6v18h-6Z" />,
  old: <path d="M4 3h6v18H4Zm10 0h6v18h-6Z" />,
};

export function Shape({ state }: { state: ShownState }) {
  return (
    <svg class="shape" viewBox="0 0 24 24" fill="currentColor" aria-hidden="true">
      {SHAPES[state]}
    </svg>
  );
}

export function StateMark({ state }: { state: ShownState }) {
  return (
    <span class="state" data-state={state}>
      <Shape state={state} />
      {WORDS[state]}
    </span>
  );
}
