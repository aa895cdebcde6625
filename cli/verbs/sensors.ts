import { ErichtError } from '../../lib/errors.ts';
import { nearest } from '../../lib/nearest.ts';
import type { VerbContext } from '../context.ts';

const ACTIONS = {
  scan: () => import('./sensors-scan.ts'),
  calibrate: () => import('./sensors-calibrate.ts'),
};

/** `ericht sensors scan` and `ericht sensors calibrate RAIL`. */
export async function run(context: VerbContext): Promise<number> {
  const [word, rail] = context.args.positionals;
  const known = 'known-amperes' in context.args.flags;
  if (word === 'scan') {
    if (rail !== undefined) throw usage(`ericht sensors scan does not take "${rail}"`);
    if (known) throw usage('--known-amperes belongs to ericht sensors calibrate');
    return (await ACTIONS.scan()).run(context);
  }
  if (word === 'calibrate') {
    if (rail === undefined) throw usage('ericht sensors calibrate needs the label of a rail');
    if (!known) throw usage('ericht sensors calibrate needs --known-amperes, such as --known-amperes 1.000');
    return (await ACTIONS.calibrate()).run(context, rail);
  }
  if (word === undefined) throw usage('ericht sensors needs to know what: scan, or calibrate RAIL');
  const near = nearest(word, Object.keys(ACTIONS));
  throw usage(`ericht sensors can't "${word}"`, near && `the nearest it can is "ericht sensors ${near}"`);
}

function usage(what: string, next = '"ericht sensors --help" explains both'): ErichtError {
  return new ErichtError('USAGE', { what, next });
}
