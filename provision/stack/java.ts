import type { Clock } from '../../lib/clock.ts';
import { ErichtError } from '../../lib/errors.ts';
import { runCommand } from './command.ts';

const INSTALL = 'install a Java 17 or newer runtime, such as: apt-get install openjdk-17-jre-headless';

/** The major version in what `java -version` prints: 'openjdk version "17.0.15" 2025-04-15' is 17. */
export function javaMajorVersion(output: string): number | undefined {
  const match = /version "(?:1\.)?(\d+)/.exec(output);
  return match ? Number(match[1]) : undefined;
}

/** Throws TOOL_MISSING where there is no Java, or one that the servers don't run on. */
export async function requireJava(minimum: number, clock: Clock): Promise<void> {
  const { output } = await runCommand('java', ['-version'], { limitMs: 20_000, clock, install: INSTALL });
  const found = javaMajorVersion(output);
  if (found !== undefined && found >= minimum) return;
  throw new ErichtError('TOOL_MISSING', {
    what: `Kafka and Cassandra need Java ${minimum}`,
    why: found === undefined ? `cannot tell the version from: ${output.trim()}` : `this is Java ${found}`,
    next: INSTALL,
  });
}
