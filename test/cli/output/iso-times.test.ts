import { test } from 'tap';
import { z } from 'zod';
import { withIsoTimes } from '../../../cli/output/iso-times.ts';
import { instant, whole } from '../../../telemetry/quantity.ts';

const schema = z.looseObject({
  at: instant('when'),
  count: whole('count', 'how many'),
  parts: z.array(z.looseObject({ sampledAt: instant('when').optional() })).optional(),
  byName: z.record(z.string(), z.looseObject({ seenAt: instant('when') })).optional(),
});

test('wall times become ISO 8601 in UTC wherever they stand, and nothing else changes', async (t) => {
  const at = Date.UTC(2026, 4, 1, 14, 0, 0, 5);
  const value = { at, count: at, parts: [{ sampledAt: at }, {}], byName: { one: { seenAt: at } }, unknown: { at } };
  const iso = '2026-05-01T14:00:00.005Z';
  t.same(withIsoTimes(value, schema), {
    at: iso,
    count: at,
    parts: [{ sampledAt: iso }, {}],
    byName: { one: { seenAt: iso } },
    unknown: { at },
  });
});
