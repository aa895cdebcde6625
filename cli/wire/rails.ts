import { readBoardModel } from '../../hardware/board-model.ts';
import { profileOf } from '../../hardware/profiles.ts';
import { fullScaleProblem } from '../../hardware/rails/full-scale.ts';
import { findKernelChips, i2cDeviceName, SHUNT_FULL_SCALE_VOLTS } from '../../hardware/rails/kernel-chips.ts';
import { toError } from '../../lib/config-problems.ts';
import type { Settings } from '../settings.ts';

/**
 * Refuses rails that would be at full scale before the board of this machine is. Which board that is, is only known
 * here, so that the schema can't say it. Throws CONFIG_INVALID with the arithmetic.
 */
export async function requireFullScale({ config, loaded }: Settings): Promise<void> {
  const { sysfs } = config.path;
  if (config.rails.length === 0) return;
  const profile = profileOf(await readBoardModel(sysfs));
  const driven = new Map((await findKernelChips(sysfs)).map(({ device, name }) => [device, name]));
  const problems = config.rails.flatMap((rail, index) => {
    const chip = driven.get(i2cDeviceName(rail.bus, rail.address)) ?? 'ina226';
    const problem = fullScaleProblem(rail, profile, SHUNT_FULL_SCALE_VOLTS[chip]);
    if (!problem) return [];
    const { where } = loaded.originOf(`rails.${index}.shuntOhms`);
    return [{ what: `${where ? `${where}: ` : ''}${problem.what}`, next: problem.next }];
  });
  if (problems.length > 0) throw toError(problems);
}
