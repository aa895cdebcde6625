import type Dockerode from 'dockerode';
import t from 'tap';
import { ContainerTable, fromInspection, fromList, MOST_SHOWN } from '../../../agent/samplers/docker-containers.ts';
import type { Inspected } from '../../../agent/samplers/docker-engine.ts';
import { reportSchema } from '../../../telemetry/report.ts';

const ID = '0123456789abcdef0123456789abcdef';

const listed = (more: object = {}) =>
  ({
    Id: ID,
    Names: ['/kafka-1'],
    Image: 'apache/kafka:4.1.0',
    State: 'running',
    Status: 'Up 2 hours',
    ...more,
  }) as Dockerode.ContainerInfo;

const inspected = ({ state = 'running', health, ...more }: { state?: string; health?: string; Id?: string } = {}) =>
  ({
    Id: ID,
    Name: '/kafka-1',
    Config: { Image: 'apache/kafka:4.1.0' },
    State: { Status: state, ...(health && { Health: { Status: health } }) },
    RestartCount: 2,
    ...more,
  }) as Inspected;

t.test("the engine's list becomes the words of a report", async (t) => {
  t.same(fromList(listed()), {
    id: '0123456789ab',
    name: 'kafka-1',
    image: 'apache/kafka:4.1.0',
    state: 'running',
  });
  t.equal(fromList(listed({ Status: 'Up 2 hours (healthy)' })).health, 'healthy');
  t.equal(fromList(listed({ Status: 'Up 2 hours (unhealthy)' })).health, 'unhealthy');
  t.equal(fromList(listed({ Status: 'Up 3 seconds (health: starting)' })).health, 'starting');
  t.equal(fromList(listed({ Status: 'Up 3 days (Paused)', State: 'paused' })).health, undefined);
  t.equal(fromList(listed({ Names: [] })).name, '0123456789ab', 'a container may have no name');
});

t.test('what it tells of one container does, too', async (t) => {
  t.same(fromInspection(inspected({ health: 'unhealthy' })), {
    id: '0123456789ab',
    name: 'kafka-1',
    image: 'apache/kafka:4.1.0',
    state: 'running',
    health: 'unhealthy',
    restarts: 2,
  });
  t.notOk('health' in fromInspection(inspected({ health: 'none' })), 'a check that was switched off is none');
});

t.test('only what a list shows to be new or different is asked for', async (t) => {
  const table = new ContainerTable();
  t.same(table.takeList([listed()]), [ID]);
  t.equal(table.shown()[0]?.container.restarts, undefined);
  table.put(inspected());
  const { revision } = table;
  t.same(table.takeList([listed({ Status: 'Up 3 hours' })]), [], 'the same, an hour later');
  t.equal(table.revision, revision);
  t.same(table.takeList([listed({ Status: 'Up 3 hours (unhealthy)' })]), [ID]);
  t.match(table.shown()[0]?.container, { health: 'unhealthy', restarts: 2 }, 'restarts stay until they are asked for');
  table.put(inspected({ state: 'paused', health: 'unhealthy' }));
  t.same(table.takeList([listed({ Status: 'Up 3 hours (Paused)', State: 'paused' })]), [], 'a list has no health here');
  t.same(table.takeList([]), []);
  t.same(table.shown(), []);
});

t.test('a container that is gone is gone', async (t) => {
  const table = new ContainerTable();
  table.put(inspected());
  t.equal(table.runningContainers, 1);
  const { revision } = table;
  table.remove('another');
  t.equal(table.revision, revision);
  table.remove(ID);
  t.equal(table.runningContainers, 0);
  t.ok(table.revision > revision);
});

t.test('all that run are shown before any that does not, and what has no room is counted', async (t) => {
  const many = (count: number, from: number, State: string) =>
    Array.from({ length: count }, (_, index) =>
      listed({ Id: String(from + index).padStart(32, '0'), State, Names: [] }),
    );
  const table = new ContainerTable();
  const toAsk = table.takeList([...many(300, 0, 'exited'), ...many(20, 5000, 'running')]);
  t.equal(toAsk.length, MOST_SHOWN, 'nobody is asked for one that is not shown');
  t.equal(toAsk.filter((id) => Number(id) >= 5000).length, 20, 'those that run are asked for in any case');
  const shown = table.shown();
  t.equal(shown.length, MOST_SHOWN);
  t.ok(shown.slice(0, 20).every(({ container }) => container.state === 'running'));
  t.equal(table.runningContainers, 20);
  t.equal(table.leftOutContainers, 320 - MOST_SHOWN);
  t.ok(reportSchema.shape.docker.safeParse({ containers: shown.map(({ container }) => container) }).success);

  table.takeList([...many(1500, 5000, 'running'), ...many(500, 0, 'exited')]);
  t.equal(table.runningContainers, 1500, 'those beyond any room run as well');
  t.equal(table.leftOutContainers, 2000 - MOST_SHOWN);
  t.equal(table.put(inspected({ Id: 'one more' })), false, 'a list of all has to tell');
});
