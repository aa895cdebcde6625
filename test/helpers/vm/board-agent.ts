import { parseSegment } from '../../../agent/spool/scan.ts';
import type { Report } from '../../../telemetry/report.ts';
import { until } from '../until.ts';
import type { BoardShell } from './board-shell.ts';
import { DATA } from './board-vm.ts';

const CONFIG = '/etc/ericht/ericht.yaml';
const ONCE_ATTEMPTS = 3;
const SPOOL = `${DATA}/spool`;

/** A rail as ericht.yaml has it. */
export interface RailConfig {
  label: string;
  measures?: string;
  bus: number;
  address: number;
  shuntOhms: number;
}

/** `ericht agent` on the board: the real command, with its own configuration. */
export class BoardAgent {
  readonly #shell: BoardShell;

  constructor(shell: BoardShell) {
    this.#shell = shell;
  }

  /**
   * Writes the configuration. No broker answers at the one it names, so that all reports stay in the spool. The agent's
   * deadlines go by its interval: two seconds leave an emulated processor some time.
   */
  async configure(rails: RailConfig[], interval = '2s'): Promise<void> {
    const kafka = { brokers: ['127.0.0.1:9'] };
    const config = { clusterId: 'case', dataDir: DATA, transport: 'kafka', kafka, interval, rails };
    // JSON is YAML, too.
    await this.#shell.write(CONFIG, JSON.stringify(config));
  }

  /**
   * The report that `ericht agent --once` prints. Asked for again, a few times at most, where it isn't complete: on a
   * busy machine an emulated processor may be slower than the agent's deadlines.
   */
  async once(isComplete: (report: Report) => boolean): Promise<Report> {
    for (let attempt = 1; ; attempt += 1) {
      const report = (await this.json('agent --once')) as Report;
      if (isComplete(report) || attempt === ONCE_ATTEMPTS) return report;
    }
  }

  /** Any verb of the command with this configuration, from JSON. */
  async json(words: string): Promise<unknown> {
    return JSON.parse(await this.#shell.run(`ericht ${words} --config ${CONFIG} -o json`));
  }

  /** Starts it as a service, without what is in its spool unless told so; resolves with its process id. */
  async start({ keepSpool = false } = {}): Promise<number> {
    if (!keepSpool) await this.#shell.run(`rm -rf ${SPOOL}`);
    await this.#shell.run(`systemctl reset-failed ericht-agent 2>/dev/null || true
      systemd-run --quiet --unit=ericht-agent ericht agent --config ${CONFIG}`);
    return Number(await this.#shell.run('systemctl show --property=MainPID --value ericht-agent'));
  }

  async stop(): Promise<void> {
    await this.#shell.run('systemctl stop ericht-agent');
  }

  /** What it logged since the board was started. */
  log(): Promise<string> {
    return this.#shell.run('journalctl --unit=ericht-agent --output=cat --no-pager');
  }

  /** All reports in its spool, in the order in which they lie there; `torn`: stretches of it that hold none. */
  async spool(): Promise<{ reports: Report[]; torn: number }> {
    const files = await this.#shell.run(`for file in ${SPOOL}/*.spool; do base64 -w 0 "$file"; echo; done`);
    const segments = files.split('\n').map((line) => parseSegment(Buffer.from(line, 'base64')));
    return {
      reports: segments.flatMap(({ records }) => records.map(({ body }) => JSON.parse(body.toString()) as Report)),
      torn: segments.reduce((sum, { torn }) => sum + torn, 0),
    };
  }

  /** Waits for a report in the spool that says so, and returns the first. */
  async reported(what: string, says: (report: Report) => boolean, limitMs = 60_000): Promise<Report> {
    let last: Report | undefined;
    const ask = async () => {
      const { reports } = await this.spool().catch(() => ({ reports: [] }));
      last = reports.at(-1);
      return reports.find(says);
    };
    try {
      return await until(what, ask, { limitMs, everyMs: 500 });
    } catch (error) {
      const log = (await this.log()).slice(-1000);
      throw new Error(`the last report's rails: ${JSON.stringify(last?.rails)}\n${log}`, { cause: error });
    }
  }
}
