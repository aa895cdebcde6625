import t from 'tap';
import { DeliveryLedger } from '../../../agent/publish/ledger.ts';
import {
  type Claim,
  claimSchema,
  DROP_REASONS,
  type DropReason,
  MAX_CLAIM_RANGES,
} from '../../../telemetry/accounting.ts';
import { randomFor, type SeededRandom } from '../../helpers/seeded-random.ts';

type Fate = 'waiting' | 'acknowledged' | DropReason;
type Outstanding = Pick<Claim, 'unacknowledged' | 'dropped'>;

/** Why this part of a claim is a lie about the run; undefined if it is none. */
function lieIn(claim: Outstanding, fates: Fate[], below: number): string | undefined {
  for (let seq = 0; seq < below; seq += 1) {
    const told = [...claim.unacknowledged, ...claim.dropped].some(({ from, to }) => from <= seq && seq <= to);
    if (!told && fates[seq] !== 'acknowledged') return `${seq} is ${fates[seq]} and called acknowledged`;
    for (const { from, to, reason } of claim.dropped) {
      if (from <= seq && seq <= to && fates[seq] !== reason) return `${seq} is ${fates[seq]} and called ${reason}`;
    }
  }
  return undefined;
}

function rangesIn(claim: Claim): number {
  const runs: Outstanding[] = [claim, ...(claim.earlierRuns ?? [])];
  return runs.reduce((sum, run) => sum + run.unacknowledged.length + run.dropped.length, 0);
}

function someFates(random: SeededRandom, length: number): Fate[] {
  const scattered = random.next() < 0.5;
  const fates: Fate[] = [];
  while (fates.length < length) {
    const fate: Fate = random.pick(['waiting', 'acknowledged', 'acknowledged', random.pick(DROP_REASONS)]);
    for (let n = random.int(1, scattered ? 2 : 40); n > 0 && fates.length < length; n -= 1) fates.push(fate);
  }
  return fates;
}

t.test('a claim never calls acknowledged what is not, in whatever order things come', async (t) => {
  const random = randomFor(t);
  for (let trial = 0; trial < 60; trial += 1) {
    const ledger = new DeliveryLedger('own');
    const fates: Fate[] = [];
    for (let step = 0; step < 200; step += 1) {
      const action = random.next();
      if (action < 0.4) {
        ledger.offered(fates.length);
        fates.push('waiting');
      } else if (action < 0.7 && fates.length > 0) {
        const seq = random.int(0, fates.length - 1);
        ledger.acknowledged('own', seq);
        fates[seq] = 'acknowledged';
      } else if (action < 0.85 && fates.length > 0) {
        const from = random.int(0, fates.length - 1);
        const to = Math.min(fates.length - 1, from + random.int(0, 5));
        const reason = random.pick(DROP_REASONS);
        ledger.dropped('own', { from, to }, reason);
        for (let seq = from; seq <= to; seq += 1) if (fates[seq] === 'waiting') fates[seq] = reason;
      } else {
        const seq = random.int(0, fates.length);
        const claim = ledger.claim(seq);
        const lie = lieIn(claim, fates, seq);
        if (lie) return t.fail(lie, { claim, fates });
        if (rangesIn(claim) > MAX_CLAIM_RANGES) return t.fail('too many ranges', { claim });
        if (!claimSchema.safeParse(claim).success) return t.fail('does not fit the schema', { claim });
      }
      const { sampled, acknowledged, notSent, waiting } = ledger.counts();
      const count = (wanted: (fate: Fate) => boolean) => fates.filter(wanted).length;
      if (sampled !== fates.length || acknowledged + notSent + waiting !== sampled)
        return t.fail('counts do not add up');
      if (acknowledged !== count((fate) => fate === 'acknowledged')) return t.fail('acknowledged is miscounted');
      if (waiting !== count((fate) => fate === 'waiting')) return t.fail('waiting is miscounted');
    }
  }
  t.pass('60 times 200 steps');
});

t.test('with any number of earlier runs it stays within its ranges and true', async (t) => {
  const random = randomFor(t);
  for (let trial = 0; trial < 200; trial += 1) {
    const ledger = new DeliveryLedger('own');
    const own = someFates(random, random.int(1, 200));
    for (const [seq, fate] of own.entries()) {
      ledger.offered(seq);
      if (fate === 'acknowledged') ledger.acknowledged('own', seq);
      else if (fate !== 'waiting') ledger.dropped('own', { from: seq, to: seq }, fate);
    }
    const earlier = new Map<string, Fate[]>();
    for (let run = random.int(0, 30); run > 0; run -= 1) {
      const fates = someFates(random, random.int(1, 100));
      fates.push('waiting');
      earlier.set(`run${run}`, fates);
      // The newest spooled report is the last one; its claim is what an agent would have written.
      const past = new DeliveryLedger(`run${run}`);
      for (const [seq, fate] of fates.entries()) {
        past.offered(seq);
        if (fate === 'acknowledged') past.acknowledged(`run${run}`, seq);
        else if (fate !== 'waiting') past.dropped(`run${run}`, { from: seq, to: seq }, fate);
      }
      const waiting = fates.flatMap((fate, seq) => (fate === 'waiting' ? [{ from: seq, to: seq }] : []));
      const claim = random.next() < 0.9 ? past.claim(fates.length - 1) : undefined;
      ledger.adoptEarlierRun(`run${run}`, waiting, claim);
    }
    const claim = ledger.claim(own.length);
    if (rangesIn(claim) > MAX_CLAIM_RANGES) return t.fail(`${rangesIn(claim)} ranges`, { claim });
    if (!claimSchema.safeParse(claim).success) return t.fail('does not fit the schema', { claim });
    const lie = lieIn(claim, own, own.length);
    if (lie) return t.fail(lie, { claim });
    for (const run of claim.earlierRuns ?? []) {
      const lie = lieIn(run, earlier.get(run.runId)!, run.nextSeq);
      if (lie) return t.fail(`${run.runId}: ${lie}`, { run });
    }
    if (earlier.size > 0 && !claim.earlierRuns) return t.fail('no earlier run is told');
  }
  t.pass('200 claims');
});

t.test('a claim of few ranges is exact, and one of many keeps the widest gaps', async (t) => {
  const ledger = new DeliveryLedger('own');
  for (let seq = 0; seq < 1000; seq += 1) ledger.offered(seq);
  for (let seq = 0; seq < 1000; seq += 1) if (seq % 100 >= 10) ledger.acknowledged('own', seq);
  ledger.dropped('own', { from: 0, to: 9 }, 'spool-full');
  const claim = ledger.claim(1000);
  t.same(claim.dropped, [{ from: 0, to: 9, reason: 'spool-full' }]);
  t.same(
    claim.unacknowledged,
    [1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => ({ from: n * 100, to: n * 100 + 9 })),
  );
  for (let seq = 1000; seq < 1100; seq += 1) {
    ledger.offered(seq);
    if (seq % 2) ledger.acknowledged('own', seq);
  }
  const long = ledger.claim(1100);
  t.equal(rangesIn(long), MAX_CLAIM_RANGES);
  t.same(long.unacknowledged.slice(0, 9), claim.unacknowledged, 'the wide gaps stay');
  t.equal(long.unacknowledged.at(-1)?.to, 1098);
});

t.test('with nothing outstanding there is nothing in the claim, and it speaks only of earlier reports', async (t) => {
  const ledger = new DeliveryLedger('own');
  ledger.offered(0);
  t.same(ledger.claim(0), { unacknowledged: [], dropped: [] });
  ledger.offered(1);
  t.same(ledger.claim(1), { unacknowledged: [{ from: 0, to: 0 }], dropped: [] });
  ledger.acknowledged('own', 0);
  ledger.acknowledged('own', 1);
  t.same(ledger.claim(2), { unacknowledged: [], dropped: [] });
});

t.test('a report that was given up and arrives after all counts as acknowledged', async (t) => {
  const ledger = new DeliveryLedger('own');
  ledger.offered(0);
  t.equal(ledger.dropped('own', { from: 0, to: 0 }, 'queue-full'), 1);
  t.match(ledger.counts(), { notSent: 1, acknowledged: 0 });
  ledger.acknowledged('own', 0);
  t.match(ledger.counts(), { notSent: 0, acknowledged: 1 });
  t.same(ledger.claim(1).dropped, []);
});

t.test('an earlier run is told until a report that tells its end has arrived', async (t) => {
  const ledger = new DeliveryLedger('own');
  const claim: Claim = { unacknowledged: [{ from: 3, to: 6 }], dropped: [{ from: 1, to: 1, reason: 'refused' }] };
  ledger.adoptEarlierRun('old', [{ from: 5, to: 7 }], claim);
  const dropped = claim.dropped;
  ledger.offered(0);
  t.same(ledger.claim(0).earlierRuns, [{ runId: 'old', nextSeq: 8, unacknowledged: [{ from: 3, to: 7 }], dropped }]);
  ledger.acknowledged('own', 0);
  for (const seq of [5, 6, 7]) ledger.acknowledged('old', seq);
  // What the run itself called outstanding and what is not on disk stays unknown.
  const end = [{ runId: 'old', nextSeq: 8, unacknowledged: [{ from: 3, to: 4 }], dropped }];
  ledger.offered(1);
  t.same(ledger.claim(1).earlierRuns, end);
  ledger.offered(2);
  t.same(ledger.claim(2).earlierRuns, end);
  ledger.acknowledged('own', 1);
  ledger.acknowledged('own', 2);
  ledger.offered(3);
  t.notOk(ledger.claim(3).earlierRuns, 'told and arrived');
});
