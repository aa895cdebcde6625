import t from 'tap';
import manifest from '../../package.json' with { type: 'json' };
import { until } from '../helpers/until.ts';
import { BoardAgent } from '../helpers/vm/board-agent.ts';
import { BoardChips, IDENTITY, measuring, POWER_ON } from '../helpers/vm/board-chips.ts';
import { BUNDLE } from '../helpers/vm/board-payload.ts';
import { BoardVm } from '../helpers/vm/board-vm.ts';
import { allRead } from '../helpers/vm/register-table.ts';

t.setTimeout(780_000);
const LIMIT = { timeout: 450_000 };
const SERVICE = 'ericht-agent.service';

const vm = await BoardVm.start(t);
const agent = new BoardAgent(vm.shell);
const chips = new BoardChips(vm.shell);
const bus = await chips.bus();
const load = { shunt: 4800, bus: 4080 };

const property = (name: string) => vm.shell.run(`systemctl show --property=${name} --value ${SERVICE}`);
const install = (flags = '') => vm.shell.run(`${BUNDLE}/install.sh ${flags}`);
const setChip = () => chips.write(new Map([[0x40, { ...IDENTITY, ...POWER_ON, ...measuring(load) }]]));
/** Lives of the agent that its spool tells of. */
const runs = async () => new Set((await agent.spool()).reports.map(({ runId }) => runId)).size;
const runsAre = (count: number) =>
  until(`${count} runs of the agent`, async () => (await runs()) === count, { limitMs: 120_000, everyMs: 1000 });

t.test(
  'install.sh sets up a service that reads its chip without being root, on the Node of the bundle',
  LIMIT,
  async (t) => {
    await setChip();
    const rail = `label=main,measures=board,bus=${bus},address=0x40,shuntOhms=0.01`;
    const flags = `--kafka 127.0.0.1:9 --node-id case-1 --interval 2s --rail ${rail}`;
    await install(flags);
    t.equal(await property('ActiveState'), 'active');
    t.equal(await property('User'), 'ericht');
    const program = await vm.shell.run(`readlink /proc/$(systemctl show --property=MainPID --value ${SERVICE})/exe`);
    t.match(program, /^\/opt\/ericht\/versions\/.*\/bin\/node$/);
    t.equal(await vm.shell.run(`${program} --version`), process.version, 'the pinned one');
    t.match(await vm.shell.run('ericht version'), manifest.version);
    const report = await agent.reported('its chip is read', allRead);
    t.match(report, {
      nodeId: 'case-1',
      rails: [{ label: 'main', source: 'i2c', busVolts: 5.1, currentAmperes: 1.2 }],
    });
    t.match(await install(flags), /Nothing to change/, 'and the second time it changes nothing');
  },
);

t.test('an agent that is stuck is ended by its watchdog and begun anew', LIMIT, async (t) => {
  // The unit gives it a minute.
  await vm.shell.run(`mkdir -p /run/systemd/system/${SERVICE}.d
    printf '[Service]\\nWatchdogSec=20\\n' >/run/systemd/system/${SERVICE}.d/hurry.conf
    systemctl daemon-reload; systemctl restart ${SERVICE}`);
  await runsAre(2);
  t.equal(await property('NRestarts'), '0');
  await vm.shell.run(`kill -STOP $(systemctl show --property=MainPID --value ${SERVICE})`);
  await runsAre(3);
  t.equal(await property('NRestarts'), '1');
  t.match(await vm.shell.run(`journalctl --output=cat --unit=${SERVICE}`), /[Ww]atchdog timeout/);
});

t.test('a stop says goodbye, and after a reboot it runs again', LIMIT, async (t) => {
  await vm.shell.run(`systemctl stop ${SERVICE}`);
  t.equal(await property('Result'), 'success');
  const last = (await agent.spool()).reports.at(-1)!;
  t.equal(last.goodbye, true);
  await vm.shell.run(`systemctl start ${SERVICE}`);

  await vm.reboot();
  await setChip();
  const again = await agent.reported('it runs again', ({ bootId }) => bootId !== last.bootId, 120_000);
  t.equal(again.nodeId, 'case-1');
  t.equal(await property('ActiveState'), 'active');
});
