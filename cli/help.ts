import type { FlagSpec, VerbSpec } from './verbs.ts';

const WIDTH = 100;

const GROUPS = { run: 'Run', look: 'Look', board: 'Board', script: 'Scripts' } as const;

/** The text of `ericht help`, of a program that has these verbs. */
export function overview(verbs: VerbSpec[]): string {
  const lines = [
    'Ericht shows at a glance that a case of boards is alive, and what power it draws.',
    '',
    'Usage: ericht VERB [FLAGS]',
  ];
  for (const [group, title] of Object.entries(GROUPS)) {
    if (!verbs.some((verb) => verb.group === group)) continue;
    lines.push('', title);
    for (const verb of verbs) if (verb.group === group) lines.push(`  ${verb.name.padEnd(11)}${verb.summary}`);
  }
  lines.push(
    '',
    'Settings come from ericht.yaml (--config FILE, else ./, ~/.config/ericht/, /etc/ericht/), from the environment',
    '(ERICHT_DATA_DIR), and from flags (--data-dir); flags win over the environment, the environment over the file.',
    '"ericht VERB --help" explains a verb.',
    '',
    'Exit codes: 0 fine, 1 unexpected, 2 usage or configuration, 3 unreachable, 4 degraded, 5 timed out, 130 interrupted.',
  );
  return `${lines.join('\n')}\n`;
}

/** What is known of a setting that is also a flag. */
export interface SettingHelp {
  flag: string;
  description: string;
  defaultText: string | undefined;
}

/** The text of `ericht VERB --help`. */
export function verbHelp(verb: VerbSpec, settings: SettingHelp[]): string {
  const lines = verb.usage.map((usage, index) => `${index === 0 ? 'Usage: ' : '       '}${usage}`);
  lines.push('', ...wrap(verb.about, WIDTH), '');
  const flags: [string, string][] = Object.entries(verb.flags).map(([name, flag]) => [flagText(name, flag), flag.help]);
  if (verb.outputs.length > 0)
    flags.push([`-o, --output ${verb.outputs.join('|')}`, `form of the answer (default ${verb.outputs[0]})`]);
  flags.push(['-h, --help', 'this text']);
  lines.push('Flags', ...rows(flags));
  if (settings.length > 0) {
    lines.push('', 'Settings, each with its default; the same keys stand in ericht.yaml');
    lines.push(
      ...rows(
        settings.map(({ flag, description, defaultText }) => [`--${flag}`, withDefault(description, defaultText)]),
      ),
    );
  }
  return `${lines.join('\n')}\n`;
}

function withDefault(description: string, defaultText: string | undefined): string {
  return defaultText === undefined ? description : `${description} [${defaultText}]`;
}

function flagText(name: string, { short, value }: FlagSpec): string {
  return `${short ? `-${short}, ` : ''}--${name}${value ? ` ${value}` : ''}`;
}

function rows(entries: [string, string][]): string[] {
  const column = Math.min(38, Math.max(...entries.map(([left]) => left.length)) + 4);
  return entries.flatMap(([left, right]) => {
    const [first = '', ...rest] = wrap(right, WIDTH - column);
    const head = `  ${left}`;
    const start = head.length < column ? [head.padEnd(column) + first] : [head, ' '.repeat(column) + first];
    return [...start, ...rest.map((line) => ' '.repeat(column) + line)];
  });
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line ? `${line} ${word}` : word;
  }
  return [...lines, line];
}
