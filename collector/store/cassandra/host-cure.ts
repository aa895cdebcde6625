import type { Client } from 'cassandra-driver';

/** What the cure needs to know of the driver's hosts, which its typings leave out; without it a host is left alone. */
interface HostShape {
  shutdown(waitForPending: boolean): Promise<void>;
  setDistance(distance: number): number;
  pool: { addExistingConnection(connection: { close(): void }): void };
}

/**
 * Ends hosts that cassandra-driver 4.10.0 forgets. When it finds all of them down, each attempt to reconnect makes new
 * objects for them and drops the old ones as they are, with a timer, a pool that goes on reconnecting, and its
 * connections; an attempt that is under way when the client is shut down leaves the same behind. Each outage would cost
 * some, and a process that has closed its client would not end by itself. Source: lib/control-connection.js
 * (_setLocalInfo, _initializeConnection) and lib/host.js (setDistance).
 *
 * Called with a client that is not connected yet. Returns what is to be called once its shutdown has begun.
 */
export function cureHosts(client: Client): () => void {
  let closed = false;
  client.on('hostRemove', retire);
  client.on('hostAdd', (host) => {
    if (closed) retire(host);
  });
  return () => {
    closed = true;
    for (const host of client.hosts?.values() ?? []) retire(host);
  };
}

/** Closes all that the host has, and keeps the attempt that made it from giving it more. */
function retire(host: unknown): void {
  if (!isHostShape(host)) return;
  host.setDistance = (distance) => distance;
  host.pool.addExistingConnection = (connection) => connection.close();
  // What was asked on its connections is tried again on others, or fails as it does when a host goes down.
  void host.shutdown(false).catch(() => {});
}

function isHostShape(host: unknown): host is HostShape {
  const { shutdown, setDistance, pool } = host as Partial<HostShape>;
  return [shutdown, setDistance, pool?.addExistingConnection].every((method) => typeof method === 'function');
}
