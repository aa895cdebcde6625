import type { StreamChange, StreamSnapshot } from '../messages.ts';
import { takeChange, takeSnapshot, tick } from './model.ts';

/** Ages on the page move this often. */
const TICK_MS = 250;
/** The server speaks every second. After this long the connection is given up, whatever the browser thinks of it. */
const GIVE_UP_MS = 5000;
const RETRY_MS = [500, 1000, 2000, 3000];

/** Opens the stream and keeps it open: over server restarts, a sleeping laptop, and connections that die without a word. */
export function openStream(): void {
  let source: EventSource | undefined;
  let heardAt = performance.now();
  let attempts = 0;
  const connect = () => {
    source?.close();
    source = new EventSource('/api/stream');
    heardAt = performance.now();
    source.addEventListener('snapshot', (event) => {
      const snapshot: StreamSnapshot = JSON.parse(event.data);
      attempts = 0;
      heardAt = performance.now();
      reloadIfOld(snapshot.build);
      takeSnapshot(snapshot);
    });
    source.addEventListener('change', (event) => {
      heardAt = performance.now();
      const change: StreamChange = JSON.parse(event.data);
      takeChange(change);
    });
  };
  connect();
  setInterval(() => {
    tick();
    // A browser gives up for good after an answer that is not a stream: a server that is full or just starting.
    const waitMs = source?.readyState === EventSource.CLOSED ? (RETRY_MS[attempts] ?? 3000) : GIVE_UP_MS;
    if (performance.now() - heardAt < waitMs) return;
    attempts += 1;
    connect();
  }, TICK_MS);
}

/** A screen in a case runs for months: it takes up a new version of the page by itself, but never twice the same. */
function reloadIfOld(build: string): void {
  const own = document.documentElement.dataset.build;
  if (!build || build === own || sessionStorage.getItem('reloaded-for') === build) return;
  sessionStorage.setItem('reloaded-for', build);
  location.reload();
}
