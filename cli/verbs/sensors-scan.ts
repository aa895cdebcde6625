import { readBoardModel } from '../../hardware/board-model.ts';
import { profileOf } from '../../hardware/profiles.ts';
import { scanSensors } from '../../hardware/scan/scan.ts';
import { withDeadline } from '../../lib/deadline.ts';
import { ERROR_CODES } from '../../lib/errors.ts';
import { settingsOf, type VerbContext } from '../context.ts';
import { json } from '../output/machine.ts';
import { scanDocument, scanText } from '../output/sensor-scan.ts';
import { requireFullScale } from '../wire/rails.ts';

/** A stuck bus takes a second at each address until the kernel gives up. */
const LIMIT_MS = 60_000;

/** Exit code 3 while the chip of a configured rail can't be read; 2 where a shunt is too large for the board. */
export async function run(context: VerbContext): Promise<number> {
  const settings = settingsOf(context);
  const { rails, path } = settings.config;
  const model = await readBoardModel(path.sysfs);
  const scan = await withDeadline(scanSensors({ ...path, rails }), LIMIT_MS, 'looking at the I2C buses', context.clock);
  const page = { model, profile: profileOf(model), scan };
  context.stdout.write(context.args.output === 'json' ? json(scanDocument(page)) : scanText(page));
  await requireFullScale(settings);
  return scan.rails.every(({ found }) => found) ? 0 : ERROR_CODES.SENSOR_UNREADABLE.exitCode;
}
