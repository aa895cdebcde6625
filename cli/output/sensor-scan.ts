import { formatAddress } from '../../hardware/i2c/port.ts';
import type { BoardProfile, I2cActivation } from '../../hardware/profiles/profile.ts';
import { i2cDeviceName } from '../../hardware/rails/kernel-chips.ts';
import type { ScannedChip } from '../../hardware/scan/chips.ts';
import type { ScannedBus, SensorScan } from '../../hardware/scan/scan.ts';

export interface ScanPage {
  /** As the device tree has it. */
  model: string | undefined;
  profile: BoardProfile;
  scan: SensorScan;
}

const OUTPUT_VERSION = 1;

/** An INA226 that answers and that no rail of the configuration names. */
interface Unconfigured {
  label: string;
  measures: 'board';
  bus: number;
  address: number;
}

/** What a scan says to a person: buses, chips, rails, and what to write into ericht.yaml. */
export function scanText(page: ScanPage): string {
  const { model, profile, scan } = page;
  const board = model === undefined ? 'not one that is known (there is no device tree)' : `${model} (${profile.id})`;
  const sections = [[`Board: ${board}`]];
  for (const bus of scan.buses) sections.push(busLines(bus, page));
  const { headerI2c } = profile;
  if (scan.buses.length === 0) sections.push(['There is no I2C bus here.', ...activationLines(profile)]);
  else if (headerI2c && !scan.buses.some(({ bus }) => bus === headerI2c.bus)) {
    const pins = `pins ${headerI2c.sdaPin} and ${headerI2c.sclPin}`;
    sections.push([`The bus of ${pins}, /dev/i2c-${headerI2c.bus}, is not there.`, ...activationLines(profile)]);
  }
  const missing = scan.rails.filter(({ found }) => !found);
  if (missing.length > 0) sections.push(missing.map(({ label, detail }) => `Rail ${label} can't be read: ${detail}.`));
  const unconfigured = unconfiguredOf(scan);
  if (unconfigured.length > 0) sections.push(pasteLines(unconfigured, scan.rails.length > 0));
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

/** The same for programs: addresses are numbers, register words, too. */
export function scanDocument({ model, profile, scan }: ScanPage): object {
  return {
    schemaVersion: OUTPUT_VERSION,
    board: { ...(model !== undefined && { model }), profile: profile.id, headerI2c: profile.headerI2c },
    buses: scan.buses.map(({ chips, ...bus }) => ({
      ...bus,
      chips: chips.map(({ claim, ...chip }) => {
        const rail = railAt(scan, bus.bus, chip.address);
        const { driver, served } = claim ?? {};
        return { ...chip, ...(driver && { driver }), ...(served && { served }), ...(rail !== undefined && { rail }) };
      }),
    })),
    rails: scan.rails,
    unconfigured: unconfiguredOf(scan),
    i2cActivation: profile.i2cActivation,
  };
}

function busLines({ bus, node, adapter, chips, problem }: ScannedBus, { profile, scan }: ScanPage): string[] {
  const { headerI2c } = profile;
  const pins = headerI2c?.bus === bus ? `, pins ${headerI2c.sdaPin} (SDA) and ${headerI2c.sclPin} (SCL)` : '';
  const lines = [`${node}${adapter ? `  ${adapter}` : ''}${pins}`];
  if (problem) lines.push(`  can't be looked at: ${problem.why}`, ...(problem.next ? [`  ${problem.next}`] : []));
  else if (chips.length === 0) lines.push('  nothing answers at 0x40 to 0x4f');
  for (const chip of chips) {
    const rail = railAt(scan, bus, chip.address);
    lines.push(`  ${formatAddress(chip.address)}  ${chipWords(chip)}${railWords(rail, chip)}`);
  }
  return lines;
}

function chipWords({ state, configuration, manufacturer, die, claim, why }: ScannedChip): string {
  if (state === 'ina226') return 'INA226';
  if (state === 'failed') return why ?? 'the bus reports a fault';
  if (state === 'claimed') {
    const driver = claim?.driver === undefined ? 'a kernel driver' : `the kernel driver ${claim.driver}`;
    const reading = claim?.served ? `, read through ${claim.served.by} as ${claim.served.name}` : '';
    return `claimed by ${driver}${reading}`;
  }
  const identity =
    manufacturer === undefined || die === undefined
      ? 'it has no identity'
      : `it says ${hex(manufacturer)} and ${hex(die)}`;
  return `not an INA226: ${identity}${configuration === INA219_POWER_ON ? ', and looks like an INA219' : ''}`;
}

/** What a driver serves is a rail even without an entry; RailFinder names it by its device. */
function railWords(rail: string | undefined, { claim }: ScannedChip): string {
  if (rail !== undefined) return `, rail ${rail}`;
  if (!claim?.served) return '';
  return `, a rail without an entry: ${claim.served.name}-${i2cDeviceName(claim.bus, claim.address)}`;
}

/** An INA219 has no register of identity; this is what its configuration holds until somebody writes it. */
const INA219_POWER_ON = 0x399f;

function hex(word: number): string {
  return `${word.toString(16).toUpperCase().padStart(4, '0')}h`;
}

function activationLines({ name, id, i2cActivation, headerI2c }: BoardProfile): string[] {
  if (!headerI2c || i2cActivation.length === 0) {
    return id === 'generic'
      ? ['Ericht does not know this board. Switch I2C on as its maker says, and load i2c-dev: sudo modprobe i2c-dev.']
      : [];
  }
  return [`Switch it on (${name}):`, ...i2cActivation.flatMap(activation)];
}

function activation({ system, command, file, line, needsReboot, note }: I2cActivation): string[] {
  const what = command === undefined ? `put "${line}" into ${file}` : `sudo ${command}`;
  return [`  ${system}: ${what}${needsReboot ? ', then restart the board' : ''}`, ...(note ? [`    (${note})`] : [])];
}

function railAt(scan: SensorScan, bus: number, address: number): string | undefined {
  return scan.rails.find((rail) => rail.bus === bus && rail.address === address)?.label;
}

function unconfiguredOf(scan: SensorScan): Unconfigured[] {
  const labels = new Set(scan.rails.map(({ label }) => label));
  return scan.buses.flatMap(({ bus, chips }) =>
    chips.flatMap(({ address, state }) => {
      if (state !== 'ina226' || railAt(scan, bus, address) !== undefined) return [];
      const label = labels.has('board') ? `rail-${bus}-${address.toString(16)}` : 'board';
      labels.add(label);
      return [{ label, measures: 'board' as const, bus, address }];
    }),
  );
}

function pasteLines(chips: Unconfigured[], hasRails: boolean): string[] {
  const where = hasRails ? 'Add this under rails: in ericht.yaml' : 'Put this into ericht.yaml';
  return [
    `Not configured yet. ${where} and write behind shuntOhms what is printed on the shunt:`,
    'R100 is 0.1, R010 is 0.01, R002 is 0.002. Nothing tells them apart but the print.',
    '',
    ...(hasRails ? [] : ['rails:']),
    ...chips.flatMap(({ label, measures, bus, address }) => [
      `  - label: ${label}`,
      `    measures: ${measures}    # or switch, lights, inlet`,
      `    bus: ${bus}`,
      `    address: ${formatAddress(address)}`,
      '    shuntOhms:',
    ]),
  ];
}
