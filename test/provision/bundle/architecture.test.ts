import t from 'tap';
import { architecturesOf } from '../../../provision/bundle/architecture.ts';

t.test('a word names one processor, or all; another one is refused with those that there are', async (t) => {
  t.same(architecturesOf('arm64'), ['arm64']);
  t.same(architecturesOf('all'), ['x64', 'arm64']);
  t.throws(() => architecturesOf('armv7'), {
    code: 'USAGE',
    message: 'there is no bundle for "armv7". --arch takes x64, arm64 or all',
  });
});
