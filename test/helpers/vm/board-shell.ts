import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../../lib/clock.ts';
import { runTool } from '../run-tool.ts';

const COMMAND_LIMIT_MS = 120_000;
const SOCKET = 'ssh';

export interface Answer {
  exitCode: number | null;
  stdout: Buffer;
  stderr: string;
}

/** Commands on the board, all over one ssh connection: agreeing on its keys takes an emulated processor half a second. */
export class BoardShell {
  readonly #folder: string;
  readonly #image: string;
  #port = 0;
  #connection: ChildProcess | undefined;

  /** `folder`: for its socket; `image`: of boardImage(), with both sides' keys. */
  constructor({ folder, image }: { folder: string; image: string }) {
    this.#folder = folder;
    this.#image = image;
  }

  /** The port of 127.0.0.1 that leads to the board. */
  aim(port: number): void {
    this.#port = port;
  }

  /** Whether the connection stands; where it doesn't, one is begun. */
  async connect(): Promise<boolean> {
    if (this.#connection === undefined || hasEnded(this.#connection)) {
      // One that was killed leaves its socket, and ssh doesn't replace it.
      await rm(join(this.#folder, SOCKET), { force: true });
      const more = ['-o', 'ConnectTimeout=20', '-o', 'ServerAliveInterval=5', '-p', String(this.#port)];
      this.#connection = spawn('ssh', [...this.#options(), '-M', '-N', ...more, 'root@127.0.0.1'], { stdio: 'ignore' });
    }
    return runTool('ssh', [...this.#options(), '-O', 'check', 'board'], { limitMs: 10_000 }).then(
      () => true,
      () => false,
    );
  }

  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection === undefined || hasEnded(connection)) return;
    const ended = once(connection, 'exit');
    connection.kill('SIGKILL');
    await ended;
  }

  /** What a command of the board's shell wrote to its standard output, trimmed; throws with all it said if it fails. */
  async run(command: string, options: { input?: string; limitMs?: number } = {}): Promise<string> {
    const { exitCode, stdout, stderr } = await this.ask(`set -e; ${command}`, options);
    if (exitCode === 0) return stdout.toString().trim();
    throw new Error(`${command.slice(0, 300)}: exit code ${exitCode}\n${stdout}\n${stderr}`);
  }

  /** The same, however the command ends. */
  async ask(
    command: string,
    { input = '', limitMs = COMMAND_LIMIT_MS }: { input?: string; limitMs?: number } = {},
  ): Promise<Answer> {
    const child = spawn('ssh', [...this.#options(), 'board', command], { stdio: 'pipe' });
    const timer = systemClock.setTimer(() => child.kill('SIGKILL'), limitMs);
    const chunks: Buffer[] = [];
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    // A command that takes no input may end before it has it.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const [exitCode] = await once(child, 'close');
    systemClock.clear(timer);
    return { exitCode: exitCode as number | null, stdout: Buffer.concat(chunks), stderr };
  }

  /** Starts a command that goes on while the test does, and ends with the board. */
  spawn(command: string): ChildProcess {
    return spawn('ssh', [...this.#options(), 'board', command], { stdio: ['ignore', 'pipe', 'inherit'] });
  }

  /** Writes a file of the board. */
  async write(path: string, text: string): Promise<void> {
    await this.run(`mkdir -p "$(dirname ${path})"; cat >${path}`, { input: text });
  }

  #options(): string[] {
    const options = {
      ControlPath: join(this.#folder, SOCKET),
      IdentityFile: join(this.#image, 'key'),
      IdentitiesOnly: 'yes',
      UserKnownHostsFile: join(this.#image, 'known_hosts'),
      HostKeyAlias: 'board',
      StrictHostKeyChecking: 'yes',
      BatchMode: 'yes',
      LogLevel: 'ERROR',
    };
    return ['-F', 'none', ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`])];
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}
