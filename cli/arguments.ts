import { parseArgs } from 'node:util';
import { ErichtError } from '../lib/errors.ts';
import { nearest } from '../lib/nearest.ts';
import type { FlagSpec, OutputFormat, VerbSpec } from './verbs.ts';

export interface Arguments {
  /** The verb's own flags; a switch that is given is 'true'. */
  flags: Record<string, string>;
  /** Flags that set a key of ericht.yaml, by flag name. */
  settings: Record<string, string>;
  positionals: string[];
  output: OutputFormat;
  help: boolean;
}

/** The verb that a word names. Throws USAGE naming the nearest one. */
export function findVerb(word: string, verbs: VerbSpec[]): VerbSpec {
  const verb = verbs.find(({ name }) => name === word);
  if (verb) return verb;
  const near = nearest(
    word,
    verbs.map(({ name }) => name),
  );
  throw new ErichtError('USAGE', {
    what: `there is no verb "${word}"`,
    next: near ? `the nearest one is "ericht ${near}"; "ericht help" lists all` : '"ericht help" lists all verbs',
  });
}

/**
 * Reads what stands after the verb. `settingFlags` are the flags of the keys that the verb obeys, without dashes; all
 * take a value. Throws USAGE for a flag that the verb doesn't know, naming the nearest one.
 */
export function parseArguments(verb: VerbSpec, settingFlags: string[], argv: string[]): Arguments {
  const own: Record<string, FlagSpec> = { ...verb.flags, help: { short: 'h', help: '' } };
  if (verb.outputs.length > 0) own.output = { short: 'o', value: 'FORMAT', help: '' };
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {};
  for (const flag of settingFlags) options[flag] = { type: 'string' };
  for (const [flag, { short, value }] of Object.entries(own)) {
    options[flag] = { type: value ? 'string' : 'boolean', ...(short && { short }) };
  }

  const { tokens } = parseArgs({ args: argv, options, strict: false, allowPositionals: true, tokens: true });
  const result: Arguments = { flags: {}, settings: {}, positionals: [], output: 'table', help: false };
  for (const token of tokens) {
    if (token.kind === 'positional') result.positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const option = options[token.name];
    if (!option) throw unknownFlag(verb, token.rawName, Object.keys(options));
    if (
      option.type === 'string' &&
      (token.value === undefined || (!token.inlineValue && token.value.startsWith('--')))
    ) {
      throw new ErichtError('USAGE', { what: `${token.rawName} needs a value`, next: helpFor(verb) });
    }
    if (option.type === 'boolean' && token.value !== undefined) {
      throw new ErichtError('USAGE', { what: `${token.rawName} takes no value`, next: helpFor(verb) });
    }
    if (token.name === 'help') result.help = true;
    else if (token.name === 'output' && own.output) result.output = outputFormat(verb, token.value!);
    else if (token.name in own) result.flags[token.name] = token.value ?? 'true';
    else result.settings[token.name] = token.value!;
  }
  if (result.positionals.length > verb.maxPositionals) {
    const extra = result.positionals[verb.maxPositionals];
    throw new ErichtError('USAGE', { what: `ericht ${verb.name} does not take "${extra}"`, next: helpFor(verb) });
  }
  return result;
}

function unknownFlag(verb: VerbSpec, written: string, known: string[]): ErichtError {
  const near = nearest(written.replace(/^-+/, ''), known);
  return new ErichtError('USAGE', {
    what: `ericht ${verb.name} has no flag ${written}`,
    next: near ? `the nearest one is --${near}` : helpFor(verb),
  });
}

function outputFormat(verb: VerbSpec, text: string): OutputFormat {
  const format = verb.outputs.find((output) => output === text);
  if (format) return format;
  throw new ErichtError('USAGE', {
    what: `ericht ${verb.name} has no output "${text}"`,
    next: `it has ${verb.outputs.join(', ')}`,
  });
}

function helpFor(verb: VerbSpec): string {
  return `"ericht ${verb.name} --help" shows its flags`;
}
