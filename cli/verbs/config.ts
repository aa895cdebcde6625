import { ErichtError } from '../../lib/errors.ts';
import { settingsOf, type VerbContext } from '../context.ts';
import { json } from '../output/machine.ts';
import { kafkaSettingsOf } from '../wire/kafka.ts';
import { requireFullScale } from '../wire/rails.ts';

/** `ericht config check`: whether a process could start with this configuration; reaches for nothing beyond this machine. */
export async function run(context: VerbContext): Promise<number> {
  const [word] = context.args.positionals;
  if (word !== 'check') {
    throw new ErichtError('USAGE', {
      what: word === undefined ? 'ericht config needs a word' : `ericht config has no "${word}"`,
      next: 'the only one is "ericht config check"',
    });
  }
  const settings = settingsOf(context);
  // Passwords and certificates are read where they are used; a file that isn't there should show here.
  if (settings.config.transport === 'kafka') kafkaSettingsOf(settings, 'check');
  await requireFullScale(settings);
  const { file } = settings.loaded;
  context.stdout.write(
    context.args.output === 'json'
      ? json({ schemaVersion: 1, file: file ?? null })
      : `${file ?? 'no ericht.yaml, hence the defaults'}: nothing is wrong\n`,
  );
  return 0;
}
