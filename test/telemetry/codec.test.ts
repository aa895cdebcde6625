import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { decodeFacts, decodeReport, encode } from '../../telemetry/codec.ts';
import { MAX_REPORT_BYTES, type Report } from '../../telemetry/report.ts';

const folder = new URL('../fixtures/reports/v1/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, folder));
const golden = () => JSON.parse(read('pi4-two-rails.json').toString()) as Report;

t.test('golden reports of every released version load, byte for byte the same after a round trip', (t) => {
  for (const name of readdirSync(folder)) {
    const decoded = decodeReport(read(name));
    if (!decoded.ok) return t.fail(`${name}: ${decoded.problem}, ${decoded.detail}`);
    t.same(decoded.value, JSON.parse(read(name).toString()), name);
    t.same(decodeReport(encode(decoded.value)), decoded, name);
  }
  t.end();
});

t.test('unknown fields survive, at the top and inside', (t) => {
  const report = { ...golden(), humidityRatio: 0.4, cpu: { usageRatio: 0.1, stealRatio: 0.02 } };
  t.match(decodeReport(Buffer.from(JSON.stringify(report))), {
    ok: true,
    value: { humidityRatio: 0.4, cpu: { stealRatio: 0.02 } },
  });
  t.end();
});

t.test('a word of a later version costs no report: only what is malformed does', (t) => {
  const rails = [{ label: 'fan', measures: 'fan', source: 'spi', powerWatts: 1 }];
  const claim = {
    unacknowledged: [],
    dropped: [{ from: 1, to: 2, reason: 'struck-by-lightning', volts: 4 }],
    note: 'x',
  };
  const later = { ...golden(), rails, claim };
  t.match(decodeReport(Buffer.from(JSON.stringify(later))), { ok: true, value: { rails, claim } });
  const upsideDown = { ...golden(), claim: { unacknowledged: [], dropped: [{ from: 5, to: 1, reason: 'too-old' }] } };
  t.match(decodeReport(Buffer.from(JSON.stringify(upsideDown))), { ok: false, detail: /claim\.dropped/ });
  t.end();
});

t.test('bad bytes are answered with a reason and never thrown', (t) => {
  const cases: [string, Buffer, string][] = [
    ['half a record', Buffer.from('{"schemaVersion":1,'), 'malformed-json'],
    ['nothing', Buffer.alloc(0), 'malformed-json'],
    ['no text at all', Buffer.from([0xff, 0xfe, 0x00]), 'malformed-json'],
    ['null', Buffer.from('null'), 'invalid-report'],
    ['a list', Buffer.from('[]'), 'invalid-report'],
    ['another version', Buffer.from(JSON.stringify({ ...golden(), schemaVersion: 99 })), 'wrong-schema-version'],
    ['a version that is text', Buffer.from(JSON.stringify({ ...golden(), schemaVersion: '1' })), 'invalid-report'],
    ['seq below 0', Buffer.from(JSON.stringify({ ...golden(), seq: -1 })), 'invalid-report'],
    ['a node with a slash', Buffer.from(JSON.stringify({ ...golden(), nodeId: 'a/b' })), 'invalid-report'],
    ['too long', Buffer.alloc(MAX_REPORT_BYTES + 1, 0x20), 'too-large'],
  ];
  for (const [title, bytes, problem] of cases) t.match(decodeReport(bytes), { ok: false, problem }, title);
  t.match(decodeFacts(Buffer.from('{}')), { ok: false });
  t.end();
});

t.test('the reason names the field', (t) => {
  const decoded = decodeReport(Buffer.from(JSON.stringify({ ...golden(), cpu: { usageRatio: 7 } })));
  t.match(decoded, { ok: false, detail: /cpu\.usageRatio/ });
  t.end();
});
