export interface CassandraConfig {
  clusterName: string;
  /** Address for clients and for the other nodes; a loopback address of its own for each node of a test cluster. */
  host: string;
  nativePort: number;
  storagePort: number;
  /** Addresses of the seeds. Nodes that start at the same time must all be seeds. */
  seeds: string[];
  /** Set for clusters of more than one that start at the same time: nobody has to ask for a token. */
  initialToken?: string | undefined;
  dataDir: string;
  /** In a container clients come in from outside, by the address that is published; what guards it is the publishing. */
  listenEverywhere?: boolean;
}

/**
 * cassandra.yaml of a node that keeps what it acknowledged. `commitlog_sync: periodic`, the default, loses acknowledged
 * rows even when only the process dies, because the log is synced behind the client's back.
 */
export function renderCassandraYaml(config: CassandraConfig): string {
  const { clusterName, host, nativePort, storagePort, seeds, initialToken, dataDir, listenEverywhere } = config;
  const token = initialToken === undefined ? '' : `initial_token: "${initialToken}"\nauto_bootstrap: false\n`;
  return `cluster_name: ${JSON.stringify(clusterName)}
num_tokens: 1
${token}partitioner: org.apache.cassandra.dht.Murmur3Partitioner
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      - seeds: ${JSON.stringify(seeds.map((seed) => `${seed}:${storagePort}`).join(','))}
listen_address: ${host}
${listenEverywhere ? `rpc_address: 0.0.0.0\nbroadcast_rpc_address: ${host}` : `rpc_address: ${host}`}
storage_port: ${storagePort}
native_transport_port: ${nativePort}
endpoint_snitch: SimpleSnitch

data_file_directories: [${JSON.stringify(`${dataDir}/data`)}]
commitlog_directory: ${JSON.stringify(`${dataDir}/commitlog`)}
hints_directory: ${JSON.stringify(`${dataDir}/hints`)}
saved_caches_directory: ${JSON.stringify(`${dataDir}/saved_caches`)}
cdc_raw_directory: ${JSON.stringify(`${dataDir}/cdc_raw`)}

# An acknowledged row is on the disk.
commitlog_sync: group
commitlog_sync_group_window: 5ms
commitlog_segment_size: 8MiB

memtable_heap_space: 128MiB
memtable_offheap_space: 128MiB
memtable_allocation_type: offheap_objects
memtable:
  configurations:
    skiplist:
      class_name: SkipListMemtable
    trie:
      class_name: TrieMemtable
    default:
      inherits: trie
sstable:
  selected_format: bti
storage_compatibility_mode: NONE

# Sized for one small machine.
file_cache_size: 64MiB
key_cache_size: 16MiB
concurrent_reads: 16
concurrent_writes: 16
concurrent_compactors: 1
auto_snapshot: false
`;
}

/** Warnings and errors only: what is normal fills no disk. */
export const LOGBACK_XML = `<configuration scan="false">
  <appender name="STDOUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%-5level %date{HH:mm:ss.SSS} %logger{0} - %msg%n</pattern></encoder>
  </appender>
  <root level="WARN"><appender-ref ref="STDOUT"/></root>
</configuration>
`;
