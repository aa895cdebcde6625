import { flagOfPath } from '../lib/config-text.ts';
import { leafPaths, schemaAt, shapeOf } from '../lib/schema-shape.ts';
import { configSchema } from './config-schema.ts';
import type { SettingHelp } from './help.ts';
import type { VerbSpec } from './verbs.ts';

function settingPaths(verb: VerbSpec): string[] {
  return leafPaths(configSchema).filter((path) =>
    verb.settings.some((setting) => path === setting || path.startsWith(`${setting}.`)),
  );
}

/** The flags of all keys of ericht.yaml that a verb obeys. */
export function settingFlagsOf(verb: VerbSpec): string[] {
  return settingPaths(verb).map(flagOfPath);
}

export function settingHelpOf(verb: VerbSpec): SettingHelp[] {
  return settingPaths(verb).map((path) => {
    const shape = shapeOf(schemaAt(configSchema, path.split('.'))!);
    const isShown = shape.defaultValue !== undefined && JSON.stringify(shape.defaultValue) !== '[]';
    return {
      flag: flagOfPath(path),
      description: shape.description ?? '',
      defaultText: isShown ? String(shape.defaultValue) : undefined,
    };
  });
}
