import type { FactsPart } from '../../agent/facts.ts';
import { isLoopback } from '../../dashboard/server/listen.ts';
import { formatBytes } from '../../lib/bytes.ts';
import { ageInWords } from '../../telemetry/status-sentence.ts';
import type { Settings } from '../settings.ts';

export interface WelcomeOptions {
  settings: Settings;
  simulate: number | undefined;
  write: (text: string) => void;
}

/** What `ericht start` tells a person: the address, what was found, what is absent and why, where data is kept. */
export class Welcome {
  readonly #options: WelcomeOptions;
  #url: string | undefined;
  #facts: FactsPart | undefined;
  #told = false;

  constructor(options: WelcomeOptions) {
    this.#options = options;
  }

  running(url: string): void {
    const { settings, simulate, write } = this.#options;
    this.#url = url;
    const { config, retention, sqliteMaxBytes, dataDir } = settings;
    const lines = [`Ericht runs: ${url}`, ''];
    const moved = new URL(url).port !== String(config.port) && config.port !== 0;
    if (moved) lines.splice(1, 0, `Port ${config.port} is taken by another program, so the page is at another one.`);
    if (!isLoopback(config.listen)) {
      lines.push('Everyone who can reach this machine can see the page: it asks for no password.', '');
    }
    if (simulate !== undefined) {
      lines.push(`Simulated: ${simulate} ${simulate === 1 ? 'board' : 'boards'}. No value of theirs was measured.`, '');
    }
    lines.push(
      config.store === 'sqlite'
        ? `Reports are kept in ${dataDir} for ${ageInWords(retention.rawMs)}, in at most ${formatBytes(sqliteMaxBytes)}.`
        : `Reports are kept in Cassandra for ${ageInWords(retention.rawMs)}.`,
      'Ctrl-C stops it.',
      '',
    );
    write(lines.join('\n'));
    this.#tell();
  }

  found(facts: FactsPart): void {
    this.#facts = facts;
    this.#tell();
  }

  #tell(): void {
    if (this.#told || !this.#facts || this.#url === undefined) return;
    this.#told = true;
    const findings = this.#facts.findings ?? [];
    const width = Math.max(...findings.map(({ subject }) => subject.length)) + 2;
    const list = (title: string, found: boolean) => {
      const some = findings.filter((finding) => finding.found === found);
      if (some.length === 0) return [];
      return ['', title, ...some.map(({ subject, detail }) => `  ${subject.padEnd(width)}${detail}`)];
    };
    const lines = [...list('Found on this machine', true), ...list('Absent, and why', false)];
    const isPowered = findings.some(({ subject, found }) => subject === 'rails' && found);
    if (!isPowered) {
      lines.push(
        '',
        'No power is measured here. Next steps:',
        '  See a full case   npm start -- --simulate 8',
        '  Add a board       wire an INA226 to its I2C bus and run the same there',
        '  Go to Kafka       npm run stack, then "Kafka and Cassandra" in the README',
      );
    }
    this.#options.write(`${lines.join('\n')}\n`);
  }
}
