import { systemClock } from '../../lib/clock.ts';
import { plainLog } from '../../lib/log.ts';
import { ProcessGuard } from '../../lib/shutdown.ts';

/** A process for the tests of lib/shutdown: `node shutdown-child.ts KIND BEHAVIOUR LIMIT_MS`. */
const [kind, behaviour, limitMs] = process.argv.slice(2);

const log = plainLog('info', process.stderr);
const guard = new ProcessGuard({
  kind: kind === 'look' ? 'look' : 'service',
  clock: systemClock,
  log,
  limitMs: Number(limitMs),
});
guard.install();

let beat: NodeJS.Timeout | undefined;

const service = {
  name: 'child',
  async start(): Promise<void> {
    if (behaviour === 'start-hangs') {
      process.stdout.write('started\n');
      await new Promise(() => setInterval(() => {}, 1000));
    }
    let beats = 0;
    beat = setInterval(() => {
      if (behaviour === 'chatty') process.stdout.write('a line\n');
      beats += 1;
      if (beats === 20 && behaviour === 'chatty') process.stderr.write('it goes on\n');
    }, 5);
    process.stdout.write('started\n');
    if (behaviour === 'answers') process.stderr.write('started\n');
    if (behaviour === 'throws') setTimeout(() => Promise.reject(new Error('nobody caught me')), 10);
  },
  async stop(): Promise<void> {
    process.stderr.write('stopping\n');
    if (behaviour === 'stop-hangs') await new Promise(() => {});
    if (behaviour === 'stop-takes-a-moment') await new Promise((resolve) => setTimeout(resolve, 100));
    clearInterval(beat);
    process.stderr.write('stopped in order\n');
  },
};

await guard.run(service);
if (behaviour === 'answers') process.stdout.write('the answer\n');
await guard.exit(0);
