import { type Calibration, calibrate, READINGS } from '../../hardware/calibrate.ts';
import type { RailSettings } from '../../hardware/rail-reader.ts';
import { RailFinder } from '../../hardware/rails/rail-finder.ts';
import { ErichtError } from '../../lib/errors.ts';
import { nearest } from '../../lib/nearest.ts';
import { say, settingsOf, type VerbContext } from '../context.ts';
import { json } from '../output/machine.ts';
import type { Settings } from '../settings.ts';

const OUTPUT_VERSION = 1;

/** Slower reading would take minutes, and the chip's windows are no longer than this. */
const LONGEST_INTERVAL_MS = 1000;

/** Reads one configured rail under a known load and prints its true shunt. */
export async function run(context: VerbContext, label: string): Promise<number> {
  const settings = settingsOf(context);
  const rail = configured(settings, label);
  const knownAmperes = amperesOf(context.args.flags['known-amperes']!);
  const { clock, args, stdout } = context;
  const intervalMs = Math.min(settings.intervalMs, LONGEST_INTERVAL_MS);
  const finder = new RailFinder({ ...settings.config.path, settings: [rail], intervalMs, clock });
  say(context, `Reading ${label} for ${Math.ceil(((READINGS + 1) * intervalMs) / 1000)} s ...`);
  try {
    const reader = (await finder.look()).find((one) => one.label === label);
    if (!reader)
      throw new ErichtError('SENSOR_UNREADABLE', { what: `cannot read rail ${label}`, why: 'it is not there' });
    const { shuntOhms } = rail;
    const result = await calibrate({
      rail: reader,
      shuntOhms,
      knownAmperes,
      intervalMs,
      clock,
    });
    stdout.write(
      args.output === 'json' ? document(label, knownAmperes, reader.source, result) : text(label, knownAmperes, result),
    );
    return 0;
  } finally {
    await finder.close();
  }
}

function configured({ config }: Settings, label: string): RailSettings {
  const rail = config.rails.find((one) => one.label === label);
  if (rail) return rail;
  const labels = config.rails.map((one) => one.label);
  const near = nearest(label, labels);
  throw new ErichtError('USAGE', {
    what: `no rail "${label}" is configured`,
    next: near
      ? `the nearest one is ${near}`
      : labels.length > 0
        ? `there are ${labels.join(', ')}`
        : '"ericht sensors scan" says what to write into ericht.yaml',
  });
}

function amperesOf(text: string): number {
  const amperes = Number(text);
  if (text.trim() !== '' && Number.isFinite(amperes) && amperes > 0 && amperes <= 1000) return amperes;
  throw new ErichtError('USAGE', {
    what: `--known-amperes is not a current: "${text}"`,
    next: 'write amperes above 0 and up to 1000, such as 1.000',
  });
}

function text(label: string, knownAmperes: number, result: Calibration): string {
  const { shuntVolts, spreadRatio, readings, shuntOhms, uncertaintyRatio, configuredOhms, backwards } = result;
  const change = (shuntOhms / configuredOhms - 1) * 100;
  const lines = [
    `Mean of ${readings} readings: ${(shuntVolts * 1000).toFixed(3)} mV across the shunt, spread ${percent(spreadRatio)}.`,
    `${(Math.abs(shuntVolts) * 1000).toFixed(3)} mV / ${knownAmperes} A = ${shuntOhms} ohm, within ${percent(uncertaintyRatio)}, ` +
      `${change < 0 ? '' : '+'}${change.toFixed(2)} % against ${configuredOhms}.`,
    '',
    `Write this at rail ${label} in ericht.yaml:`,
    '',
    `    shuntOhms: ${shuntOhms}`,
  ];
  if (backwards) {
    lines.push('', 'The current flows backwards, from IN− to IN+: change the two wires, or power will be negative.');
  }
  return `${lines.join('\n')}\n`;
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(2)} %`;
}

function document(label: string, knownAmperes: number, source: string, result: Calibration): string {
  return json({ schemaVersion: OUTPUT_VERSION, rail: label, source, knownAmperes, ...result });
}
