import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../../lib/clock.ts';
import { freePort } from '../free-port.ts';
import { runTool } from '../run-tool.ts';
import { type Teardown, tempDir } from '../temp.ts';
import { until } from '../until.ts';
import { boardImage } from './board-image.ts';
import { makePayload } from './board-payload.ts';
import { BoardShell } from './board-shell.ts';

/** Twenty seconds on a machine of its own; emulated on busy processors it takes many times that. */
const BOOT_LIMIT_MS = 300_000;

/** Where its own disk is, which outlives a power cut; the agent's state directory. */
export const DATA = '/var/lib/ericht';

/** The disks that all boards of a suite start from; see prepare.ts. */
export interface BoardDisks {
  /** Folder of boardImage(). */
  image: string;
  /** File of makePayload(). */
  payload: string;
}

/**
 * A board in a virtual machine without KVM, reached over ssh on a port of 127.0.0.1. Its system starts from the same
 * image each time: what is written to it outlives a reboot, and a power cut only at DATA. All of it is gone after the
 * test.
 */
export class BoardVm {
  readonly #folder: string;
  readonly #disks: BoardDisks;
  readonly shell: BoardShell;
  #qemu: ChildProcess | undefined;

  private constructor(folder: string, disks: BoardDisks) {
    this.#folder = folder;
    this.#disks = disks;
    this.shell = new BoardShell({ folder, image: disks.image });
  }

  /** Builds what is missing, boots, and resolves when the board answers. */
  static async start(t: Teardown): Promise<BoardVm> {
    const folder = await tempDir(t);
    const vm = new BoardVm(folder, await disksFor(folder));
    t.teardown(() => vm.powerCut());
    await runTool('mke2fs', ['-q', '-t', 'ext4', vm.#file('data.img'), '256M']);
    await vm.powerOn();
    return vm;
  }

  /** Boots the board, the first time or after a power cut. */
  async powerOn(): Promise<void> {
    const port = await freePort();
    const disk = (file: string, serial: string, more: string) => [
      ...['-drive', `if=none,id=${serial},format=raw,file=${file},${more}`],
      ...['-device', `virtio-blk-pci,drive=${serial},serial=${serial}`],
    ];
    const { image, payload } = this.#disks;
    const args = [
      // The machine ends with the test, even where nobody is left to end it.
      ...['--pdeathsig', 'KILL', 'qemu-system-x86_64'],
      ...['-M', 'q35', '-cpu', 'qemu64', '-accel', 'tcg,thread=multi', '-smp', '2', '-m', '768'],
      ...['-nodefaults', '-no-user-config', '-display', 'none'],
      ...['-kernel', join(image, 'vmlinuz'), '-initrd', join(image, 'initrd.img')],
      ...['-append', 'root=/dev/vda rw console=ttyS0 loglevel=4'],
      ...['-serial', `file:${this.#file('console.log')}`],
      ...disk(join(image, 'root.img'), 'ROOT', 'snapshot=on'),
      ...disk(payload, 'PAYLOAD', 'readonly=on'),
      ...disk(this.#file('data.img'), 'DATA', 'cache=writethrough'),
      ...['-netdev', `user,id=net,hostfwd=tcp:127.0.0.1:${port}-:22`],
      ...['-device', 'virtio-net-pci,netdev=net,romfile=', '-device', 'virtio-rng-pci'],
    ];
    // The writes of a snapshot go to a file in TMPDIR.
    const env = { ...process.env, TMPDIR: this.#folder };
    const qemu = spawn('setpriv', args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#qemu = qemu;
    let complaint = '';
    qemu.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint += text;
    });
    qemu.on('error', (error) => {
      complaint += error.message;
    });
    try {
      await this.#answers(port, () => {
        if (hasEnded(qemu)) throw new Error('qemu has ended');
      });
    } catch (error) {
      const console = await readFile(this.#file('console.log'), 'utf8').catch(() => '');
      throw new Error(`${complaint}\n${console.slice(-2000)}`, { cause: error });
    }
  }

  /** Restarts the board as a person would: its services are stopped first. */
  async reboot(): Promise<void> {
    const bootId = await this.shell.run('cat /proc/sys/kernel/random/boot_id');
    // The connection may break before the command has told its end.
    await this.shell.run('systemctl reboot').catch(() => {});
    await until(
      'the board is up again',
      async () => {
        if (!(await this.shell.connect())) return false;
        const now = await this.shell.run('cat /proc/sys/kernel/random/boot_id').catch(() => bootId);
        return now !== bootId;
      },
      { limitMs: BOOT_LIMIT_MS, everyMs: 500 },
    );
  }

  /** Ends the machine between two of its instructions: what only its memory held is lost. */
  async powerCut(): Promise<void> {
    await Promise.all([kill(this.#qemu), this.shell.close()]);
  }

  async #answers(port: number, check: () => void): Promise<void> {
    this.shell.aim(port);
    const answers = () => {
      check();
      return this.shell.connect();
    };
    await until('the board answers over ssh', answers, { limitMs: BOOT_LIMIT_MS, everyMs: 500 });
  }

  #file(name: string): string {
    return join(this.#folder, name);
  }
}

/** Those of the suite, else new ones in this folder. */
async function disksFor(folder: string): Promise<BoardDisks> {
  const ofSuite = process.env.ERICHT_TEST_BOARD;
  if (ofSuite) return JSON.parse(ofSuite) as BoardDisks;
  const payload = join(folder, 'payload.img');
  const image = await boardImage();
  await makePayload(payload);
  return { image, payload };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}

async function kill(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || hasEnded(child)) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  const timer = systemClock.setTimer(() => child.emit('exit'), 10_000);
  await ended;
  systemClock.clear(timer);
}
