import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { toolRunner } from '../../../agent/run-tool.ts';
import { FirmwareFlags, parseThrottled } from '../../../agent/samplers/firmware-flags.ts';
import { ThrottlingSampler } from '../../../agent/samplers/throttling.ts';
import { systemClock } from '../../../lib/clock.ts';
import { reportSchema } from '../../../telemetry/report.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { until } from '../../helpers/until.ts';

interface Board {
  model?: string;
  /** in0_lcrit_alarm; absent without the driver. */
  alarm?: string;
  /** A shell script in the place of vcgencmd; absent without the tool. */
  vcgencmd?: string;
  vcio?: boolean;
  periodMs?: number;
  answerWithinMs?: number;
}

/** A Raspberry Pi in a folder, with a real script in the place of vcgencmd. */
function board(t: Test, { model = 'Raspberry Pi 4 Model B Rev 1.5', alarm, vcgencmd, ...more }: Board) {
  const root = t.testdir({
    sys: {
      firmware: { devicetree: { base: { model: `${model}\0` } } },
      class: { hwmon: { hwmon0: { name: 'cpu_thermal\n' } } },
    },
    dev: {},
  });
  const sysfs = join(root, 'sys');
  const alarmFile = join(sysfs, 'class/hwmon/hwmon1/in0_lcrit_alarm');
  if (alarm !== undefined) {
    mkdirSync(join(sysfs, 'class/hwmon/hwmon1'));
    writeFileSync(join(sysfs, 'class/hwmon/hwmon1/name'), 'rpi_volt\n');
    writeFileSync(alarmFile, `${alarm}\n`);
  }
  const tool = join(root, 'vcgencmd');
  const calls = join(root, 'calls');
  if (vcgencmd !== undefined) {
    writeFileSync(tool, `#!/bin/sh\necho "$$ $@" >> ${calls}\n${vcgencmd}\n`);
    chmodSync(tool, 0o755);
  }
  const vcio = join(root, 'dev/vcio');
  if (more.vcio !== false) writeFileSync(vcio, '');
  const { periodMs = 30_000, answerWithinMs = 5000 } = more;
  const clock = new ManualClock();
  const run = toolRunner(systemClock);
  const firmware = new FirmwareFlags({ tools: [tool], vcio, run, clock: systemClock, periodMs, answerWithinMs });
  const sampler = new ThrottlingSampler({ sysfs, clock }, { firmware, intervalMs: 1000 });
  t.teardown(() => sampler.stop());
  const started = () => (existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : []);
  return { sampler, clock, firmware, tool, vcio, alarmFile, started };
}

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    // A zombie has ended; only its parent hasn't looked yet.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

t.test("the flags are those of the firmware's documentation", async (t) => {
  t.same(parseThrottled('throttled=0x0').occurred, []);
  t.same(parseThrottled('throttled=0x50005'), {
    now: { underVoltage: true, frequencyCapped: false, throttled: true, softTemperatureLimit: false },
    occurred: ['underVoltage', 'throttled'],
  });
  t.same(parseThrottled('throttled=0xe0008'), {
    now: { underVoltage: false, frequencyCapped: false, throttled: false, softTemperatureLimit: true },
    occurred: ['frequencyCapped', 'throttled', 'softTemperatureLimit'],
  });
  for (const text of ['', 'throttled=', 'throttled=0x', 'throttled=5', 'error=1 error_msg="Command not registered"']) {
    t.throws(() => parseThrottled(text), { message: /it says/ }, text);
  }
});

t.test('a report has the under-voltage of the driver and the flags of the firmware', async (t) => {
  const { sampler, alarmFile, started } = board(t, { alarm: '0', vcgencmd: 'echo throttled=0x20002' });
  t.same(await sampler.find(), {
    subject: 'throttling',
    found: true,
    detail: "under-voltage by rpi_volt; the firmware's flags by vcgencmd",
  });
  const part = await sampler.sample();
  t.match(part.throttling, {
    underVoltage: false,
    frequencyCapped: true,
    throttled: false,
    softTemperatureLimit: false,
    occurred: ['frequencyCapped'],
    firmwareSampledAt: Number,
  });
  t.ok(reportSchema.partial().safeParse(part).success, 'as the contract has it');
  writeFileSync(alarmFile, '1\n');
  t.match((await sampler.sample()).throttling, { underVoltage: true, occurred: ['underVoltage', 'frequencyCapped'] });
  writeFileSync(alarmFile, '0\n');
  t.match(
    (await sampler.sample()).throttling,
    { underVoltage: false, occurred: ['underVoltage', 'frequencyCapped'] },
    'what was once is kept, though the driver clears it in the firmware',
  );
  t.match(started(), [/^\d+ get_throttled$/], 'one process for all of these');
});

t.test('a tool that hangs delays nothing, is never begun twice, and is killed by its own id', async (t) => {
  const { sampler, firmware, started } = board(t, {
    alarm: '1',
    vcgencmd: 'exec sleep 60',
    periodMs: 20,
    answerWithinMs: 1500,
  });
  const searching = sampler.find();
  await until('the tool runs', () => started().length === 1);
  for (let round = 0; round < 20; round += 1) {
    const startedMs = systemClock.monotonicMs();
    await sampler.sample().catch(() => {});
    t.ok(systemClock.monotonicMs() - startedMs < 1000, 'a reading does not wait for it');
  }
  t.equal(started().length, 1, 'twenty periods are over');
  t.match(await searching, { found: true, detail: /under-voltage by rpi_volt; no flags .* no answer within 1500 ms/ });
  t.match((await sampler.sample()).throttling, { underVoltage: true, occurred: ['underVoltage'] });
  const [pid] = started().map((line) => Number.parseInt(line, 10));
  await until('the process is gone', () => !isAlive(pid!));
  await until('it is asked again when the first one has ended', () => {
    firmware.current();
    return started().length > 1;
  });
});

t.test('a process that outlives its kill keeps a second one from being begun', async (t) => {
  let ended = () => {};
  let runs = 0;
  const run = () => {
    runs += 1;
    const answer = Promise.reject(new Error('no answer within 5 ms'));
    return { answer, ended: new Promise<void>((resolve) => (ended = resolve)), kill: () => {} };
  };
  const { tool, vcio } = board(t, { vcgencmd: 'true' });
  const firmware = new FirmwareFlags({ tools: [tool], vcio, run, clock: systemClock, periodMs: 1 });
  await firmware.find();
  for (let round = 0; round < 5; round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    await firmware.find();
  }
  t.equal(runs, 1);
  ended();
  await until('it is asked again', () => {
    firmware.current();
    return runs === 2;
  });
});

t.test('flags that are older than two periods are not told any more', async (t) => {
  const { sampler, tool, firmware, started } = board(t, {
    alarm: '0',
    vcgencmd: 'if [ -e "$0.broken" ]; then echo broken; exit 1; fi; echo throttled=0x4',
    periodMs: 400,
  });
  await sampler.find();
  t.match((await sampler.sample()).throttling, { throttled: true });
  writeFileSync(`${tool}.broken`, '');
  await until('the tool fails', () => {
    firmware.current();
    return firmware.problem !== undefined;
  });
  t.ok(sampler.hasNews(), 'the finding is looked for again');
  await until('two periods are over', () => firmware.current() === undefined);
  const { throttling } = await sampler.sample();
  t.same(throttling, { underVoltage: false, occurred: ['throttled'] });
  t.match(await sampler.find(), { detail: /no flags of the firmware: .*broken/ });
  t.notOk(sampler.hasNews());
  t.ok(started().length >= 2);
});

t.test('what a tool may do wrong is told, and costs no reading', async (t) => {
  const cases: [string, string, RegExp][] = [
    ['garbage', 'echo "error=1 error_msg=\\"Command not registered\\""', /it says "error=1/],
    ['code 1', 'exit 1', /it ended with code 1/],
    ['no right, as vcgencmd says it', 'echo "Can\'t open device file: /dev/vcio"; exit 255', /group video/],
    ['no right, as it said it', 'echo "VCHI initialization failed" >&2; exit 255', /group video/],
    ['endless talk', 'yes', /does not stop talking|SIGKILL|no answer|^y$/],
    ['a child that keeps its output open', 'sleep 30 & exec sleep 30', /no answer within 400 ms/],
  ];
  for (const [title, vcgencmd, reason] of cases) {
    const { sampler } = board(t, { alarm: '0', vcgencmd, answerWithinMs: 400 });
    const { found, detail } = await sampler.find();
    t.ok(found, title);
    t.match(detail, reason, title);
    t.same((await sampler.sample()).throttling, { underVoltage: false }, title);
  }
});

t.test('what is missing is named with what to do', async (t) => {
  const detail = async (setup: Board) => (await board(t, setup).sampler.find()).detail;
  t.match(await detail({ alarm: '0' }), /there is no .*vcgencmd/);
  t.match(await detail({ alarm: '0', vcgencmd: 'true', vcio: false }), /there is no .*vcio: this kernel has no way/);
  t.match(await board(t, { vcio: false }).sampler.find(), { found: false, detail: /no rpi_volt driver; no flags/ });
  t.match(await board(t, { model: 'Orange Pi 5 Plus', alarm: '0' }).sampler.find(), {
    found: false,
    detail: 'only a Raspberry Pi tells of under-voltage and throttling',
  });
  t.match(await board(t, { model: 'Raspberry Pi 3 Model B Plus Rev 1.3', alarm: '0' }).sampler.find(), { found: true });
  const { sampler, vcio } = board(t, { alarm: '0', vcgencmd: 'echo throttled=0x0' });
  chmodSync(vcio, 0);
  // Root may open anything.
  const isRoot = process.geteuid!() === 0;
  if (isRoot) process.seteuid!(65_534);
  const finding = await sampler.find();
  if (isRoot) process.seteuid!(0);
  t.match(finding.detail, /may not use .*vcio: add the user of the agent to the group video/);
});

t.test('without the driver the firmware alone tells, and its silence is a failure', async (t) => {
  const { sampler } = board(t, { vcgencmd: 'echo throttled=0x1', periodMs: 400 });
  t.match(await sampler.find(), { found: true, detail: /no rpi_volt driver; the firmware's flags/ });
  t.match((await sampler.sample()).throttling, { underVoltage: true, throttled: false, occurred: ['underVoltage'] });
  await sampler.stop();
  await until('its last word is too old', async () => !(await sampler.sample().catch(() => undefined)));
});

t.test('while nothing changes the reading is repeated with its time, a change is told at once', async (t) => {
  const { sampler, clock, alarmFile } = board(t, { alarm: '0' });
  await sampler.find();
  const told = async () => (await sampler.sample()).throttling;
  const firstAt = clock.now();
  t.same(await told(), { underVoltage: false });
  await clock.advance(9000);
  t.same(await told(), { sampledAt: firstAt, underVoltage: false });
  await clock.advance(1000);
  t.same(await told(), { underVoltage: false }, 'told again after ten seconds');
  await clock.advance(1000);
  writeFileSync(alarmFile, '1\n');
  t.same(await told(), { underVoltage: true, occurred: ['underVoltage'] });
  await clock.advance(1000);
  writeFileSync(alarmFile, '0\n');
  t.same(await told(), { underVoltage: false, occurred: ['underVoltage'] });
});
