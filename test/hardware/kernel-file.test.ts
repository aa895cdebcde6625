import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { KernelFile, readKernelNumber, readKernelText } from '../../hardware/kernel-file.ts';
import { systemClock } from '../../lib/clock.ts';
import { withDeadline } from '../../lib/deadline.ts';
import { stuckDevice } from '../helpers/stuck-device.ts';
import { until } from '../helpers/until.ts';

const isLinux = process.platform === 'linux' ? {} : { skip: 'there is no /proc' };

t.test('a file of the kernel is opened once, and says something new each time', isLinux, async (t) => {
  for (const asksDevice of [false, true]) {
    const file = new KernelFile('/proc/self/stat', { asksDevice });
    const handles = () => readdirSync('/proc/self/fd').length;
    const first = await file.text();
    const before = handles();
    await until('the process has used more of the processor', async () => (await file.text()) !== first);
    t.equal(handles(), before);
    t.match(await file.text(), new RegExp(`^${process.pid} `));
    file.close();
    t.equal(handles(), before - 1);
    t.match(await file.text(), new RegExp(`^${process.pid} `), 'opened again when asked again');
    file.close();
  }
});

t.test('a long list of the kernel is read whole', isLinux, async (t) => {
  // A line for each mapping, more than one page of the kernel's and more than the first buffer.
  const file = new KernelFile('/proc/self/smaps');
  const text = (await file.text())!;
  t.ok(text.length > 16_384, `${text.length} characters`);
  t.match(text, /VmFlags:[^\n]*$/, 'to its end');
  t.same(await new KernelFile('/proc/stat').text().then((all) => all?.match(/^softirq .*$/m)?.length), 1);
  file.close();
});

t.test('a recorded file is opened anew each time: it may be replaced', async (t) => {
  const root = t.testdir({ value: '1\n', other: '2\0\n' });
  const file = new KernelFile(join(root, 'value'));
  t.equal(await file.number(), 1);
  renameSync(join(root, 'other'), join(root, 'value'));
  t.equal(await file.number(), 2);
  rmSync(join(root, 'value'));
  t.equal(await file.number(), undefined, 'no value, no error');
  writeFileSync(join(root, 'value'), 'none\n');
  t.equal(await file.number(), undefined);
  await t.rejects(readKernelText(root), { code: 'EISDIR' });
});

t.test('devices that hang take three threads at most, however often they are asked', async (t) => {
  const root = t.testdir({ here: '7\n' });
  const stuck = Array.from({ length: 6 }, (_, index) => stuckDevice(t, join(root, `device${index}`)));
  const answers = stuck.map(({ path }) => readKernelNumber(path));
  for (let again = 0; again < 20; again += 1) for (const { path } of stuck) void readKernelNumber(path);
  const reading = Promise.all(Array.from({ length: 20 }, () => readFile(join(root, 'here'), 'utf8')));
  const others = await withDeadline(reading, 3000, 'the spool and the rest use files', systemClock);
  t.same(
    others,
    Array.from({ length: 20 }, () => '7\n'),
  );
  const unanswered = new Map(stuck.entries());
  await until('each is asked when there is a thread for it', () => {
    for (const [index, device] of unanswered) if (device.answer(`${index}\n`)) unanswered.delete(index);
    return unanswered.size === 0;
  });
  t.same(await Promise.all(answers), [0, 1, 2, 3, 4, 5], 'those that waited for a thread were asked, too');
  t.equal(await readKernelNumber(join(root, 'here')), 7);
});

t.test('one device that hangs takes nothing from the others', async (t) => {
  const root = t.testdir({ here: '7\n' });
  const device = stuckDevice(t, join(root, 'device'));
  const answer = new KernelFile(device.path, { asksDevice: true }).number();
  t.equal(await readKernelNumber(join(root, 'here')), 7);
  await until('it is asked', () => device.answer('5\n'));
  t.equal(await answer, 5);
});

t.test('what was aborted before its turn is not read', async (t) => {
  const root = t.testdir({ here: readFileSync(import.meta.filename, 'utf8').slice(0, 10) });
  await t.rejects(readKernelText(join(root, 'here'), AbortSignal.abort(new Error('given up'))), {
    message: 'given up',
  });
});
