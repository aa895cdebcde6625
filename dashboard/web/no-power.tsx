import type { NodeDetails } from '../messages.ts';

/** Why there are no watts, and what to do about it: a newcomer's laptop is the place where this is read. */
export function NoPower({ findings }: { findings: NodeDetails['findings'] }) {
  const finding = findings.find(({ subject, found }) => subject === 'rails' && !found);
  return (
    <section class="panel no-power" data-panel="no-power">
      <h3>No power is measured here</h3>
      <p class="reason">{sentence(finding?.detail ?? 'No sensor was found on this machine')}</p>
      <ol>
        <li>
          <b>See a full case:</b> <code>npm start -- --simulate 8</code>
        </li>
        <li>
          <b>Add a board:</b> wire an INA226 to its I²C bus and run the same two commands there.
        </li>
        <li>
          <b>Go to Kafka:</b> many boards, one screen. <code>npm run stack</code>, then see “Kafka and Cassandra” in the
          README.
        </li>
      </ol>
    </section>
  );
}

function sentence(detail: string): string {
  const start = detail.charAt(0).toUpperCase() + detail.slice(1);
  return /[.!?]$/.test(start) ? start : `${start}.`;
}
