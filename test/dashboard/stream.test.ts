import { EventEmitter } from 'node:events';
import { test } from 'tap';
import {
  DROP_ABOVE_BYTES,
  DROP_AFTER_MS,
  MOST_STREAMS,
  PAUSE_ABOVE_BYTES,
  StreamHub,
  type StreamTarget,
} from '../../dashboard/server/stream.ts';
import { ManualClock } from '../helpers/manual-clock.ts';

/** A browser's end whose socket drains only when the test says so. */
class Browser extends EventEmitter {
  text = '';
  writableLength = 0;
  state: 'open' | 'ended' | 'destroyed' = 'open';

  write(chunk: string): boolean {
    this.text += chunk;
    return true;
  }

  end(): this {
    this.state = 'ended';
    return this;
  }

  destroy(): this {
    this.state = 'destroyed';
    return this;
  }

  /** Events since the last call. */
  take(): { event: string; data: { values: Record<string, unknown>; points?: unknown[]; build?: string } }[] {
    const blocks = this.text.split('\n\n').filter((block) => block.includes('data: '));
    this.text = '';
    return blocks.map((block) => ({
      event: /event: (.*)/.exec(block)?.[1] ?? '',
      data: JSON.parse(/data: (.*)/.exec(block)?.[1] ?? 'null'),
    }));
  }
}

function setUp() {
  const clock = new ManualClock();
  const hub = new StreamHub({ clock, snapshotExtras: () => ({ build: 'b1' }) });
  const join = () => {
    const browser = new Browser();
    hub.add(browser as unknown as StreamTarget);
    return browser;
  };
  return { clock, hub, join };
}

test('a new stream begins with a snapshot of everything, then only changes come', async (t) => {
  const { hub, join } = setUp();
  hub.set('cluster', { nodes: 1 });
  hub.set('node:pi-01', { watts: 4 });
  const browser = join();
  t.match(browser.take(), [
    { event: 'snapshot', data: { build: 'b1', values: { cluster: { nodes: 1 }, 'node:pi-01': { watts: 4 } } } },
  ]);
  hub.set('node:pi-01', { watts: 5 });
  hub.set('cluster', { nodes: 1 });
  hub.flush();
  t.match(browser.take(), [{ event: 'change', data: { values: { 'node:pi-01': { watts: 5 } } } }]);
  hub.flush();
  t.same(browser.take(), [], 'nothing new, nothing sent');
});

test('a quiet stream says the time once a second and a comment every ten', async (t) => {
  const { clock, hub, join } = setUp();
  const browser = join();
  browser.take();
  let comments = 0;
  let times = 0;
  for (let tick = 0; tick < 44; tick += 1) {
    await clock.advance(250);
    hub.flush();
    if (browser.text.includes(': still here')) comments += 1;
    times += browser.take().length;
  }
  t.equal(times, 11);
  t.equal(comments, 1);
});

test('a slow client gets the newest value of each key once it has drained, and nothing between', async (t) => {
  const { hub, join } = setUp();
  const browser = join();
  browser.take();
  browser.writableLength = PAUSE_ABOVE_BYTES + 1;
  for (let seq = 0; seq < 50; seq += 1) {
    hub.set('node:pi-01', { seq });
    hub.set('node:pi-02', { seq: -seq });
    hub.point({ seq });
    hub.flush();
  }
  t.equal(browser.text, '');
  browser.writableLength = 0;
  hub.flush();
  const [change, ...more] = browser.take();
  t.same(more, []);
  t.match(change?.data.values, { 'node:pi-01': { seq: 49 }, 'node:pi-02': { seq: -49 } });
  t.equal(change?.data.points?.length, 50);
});

test('a client that does not drain is dropped: at once over the bound, else after its time', async (t) => {
  const { clock, hub, join } = setUp();
  const [stuck, full, fine] = [join(), join(), join()];
  stuck.writableLength = PAUSE_ABOVE_BYTES + 1;
  full.writableLength = DROP_ABOVE_BYTES + 1;
  hub.flush();
  t.equal(full.state, 'destroyed');
  t.equal(stuck.state, 'open');
  await clock.advance(DROP_AFTER_MS + 250);
  hub.flush();
  t.equal(stuck.state, 'destroyed');
  t.equal(fine.state, 'open');
  t.equal(hub.size, 1);
});

test('the number of streams is bounded, and one that closes makes room', async (t) => {
  const { hub, join } = setUp();
  const browsers = Array.from({ length: MOST_STREAMS }, join);
  t.equal(hub.full, true);
  browsers[0]?.emit('close');
  t.equal(hub.full, false);
  hub.close();
  t.equal(browsers[1]?.state, 'ended');
  t.equal(hub.size, 0);
});
