-- Columns as in collector/store/row.ts. Instants are epoch milliseconds, booleans 0 or 1.
-- WITHOUT ROWID keeps a node's day together on disk, so that reading and deleting it touches only its own pages.
CREATE TABLE node_health_by_node_date (
  cluster_id             TEXT    NOT NULL,
  node_id                TEXT    NOT NULL,
  day                    TEXT    NOT NULL,
  ts                     INTEGER NOT NULL,
  run_id                 TEXT    NOT NULL CHECK (length(run_id) <= 255),
  seq                    INTEGER NOT NULL,
  appended_at            INTEGER NOT NULL,
  reported_at            INTEGER,
  schema_version         INTEGER NOT NULL,
  boot_id                TEXT    NOT NULL,
  uptime_ms              INTEGER NOT NULL,
  interval_ms            INTEGER NOT NULL,
  clock_synchronised     INTEGER NOT NULL,
  drained                INTEGER NOT NULL,
  goodbye                INTEGER,
  simulated              INTEGER,
  cpu_usage_ratio        REAL,
  cpu_frequency_hertz    REAL,
  load_one_minute        REAL,
  load_five_minutes      REAL,
  load_fifteen_minutes   REAL,
  memory_total_bytes     INTEGER,
  memory_available_bytes INTEGER,
  swap_total_bytes       INTEGER,
  swap_free_bytes        INTEGER,
  temperature_celsius    REAL,
  power_watts            REAL,
  spool_waiting_reports  INTEGER,
  spool_waiting_bytes    INTEGER,
  rails                  TEXT,
  claim                  TEXT,
  detail                 TEXT,
  PRIMARY KEY (cluster_id, node_id, day, ts, run_id, seq)
) STRICT, WITHOUT ROWID;

-- The newest live report of each node, whole, as JSON.
CREATE TABLE node_latest (
  cluster_id    TEXT    NOT NULL,
  node_id       TEXT    NOT NULL,
  appended_at   INTEGER NOT NULL,
  record_offset INTEGER NOT NULL,
  boot_id       TEXT    NOT NULL,
  uptime_ms     INTEGER NOT NULL,
  report        TEXT    NOT NULL,
  PRIMARY KEY (cluster_id, node_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE node_facts (
  cluster_id  TEXT    NOT NULL,
  node_id     TEXT    NOT NULL,
  appended_at INTEGER NOT NULL,
  facts       TEXT    NOT NULL,
  PRIMARY KEY (cluster_id, node_id)
) STRICT, WITHOUT ROWID;

-- Every node ever heard of; it outlives the node's rows.
CREATE TABLE nodes_by_cluster (
  cluster_id TEXT NOT NULL,
  node_id    TEXT NOT NULL,
  PRIMARY KEY (cluster_id, node_id)
) STRICT, WITHOUT ROWID;

-- The wall time of a boot whose clock was not set; the first proposal stays.
CREATE TABLE boot_anchors (
  cluster_id  TEXT    NOT NULL,
  node_id     TEXT    NOT NULL,
  boot_id     TEXT    NOT NULL,
  anchored_at INTEGER NOT NULL,
  PRIMARY KEY (cluster_id, node_id, boot_id)
) STRICT, WITHOUT ROWID;

-- Records that can't be stored, and reports over a node's limit, with their original bytes; oldest first.
CREATE TABLE dead_letters (
  appended_at   INTEGER NOT NULL,
  topic         TEXT    NOT NULL,
  partition     INTEGER NOT NULL,
  record_offset INTEGER NOT NULL,
  reason        TEXT    NOT NULL,
  detail        TEXT    NOT NULL,
  cluster_id    TEXT,
  node_id       TEXT,
  run_id        TEXT,
  seq           INTEGER,
  record_key    BLOB,
  headers       TEXT    NOT NULL,
  value         BLOB,
  PRIMARY KEY (appended_at, topic, partition, record_offset)
) STRICT, WITHOUT ROWID;

CREATE TABLE overflow (
  appended_at   INTEGER NOT NULL,
  topic         TEXT    NOT NULL,
  partition     INTEGER NOT NULL,
  record_offset INTEGER NOT NULL,
  reason        TEXT    NOT NULL,
  detail        TEXT    NOT NULL,
  cluster_id    TEXT,
  node_id       TEXT,
  run_id        TEXT,
  seq           INTEGER,
  record_key    BLOB,
  headers       TEXT    NOT NULL,
  value         BLOB,
  PRIMARY KEY (appended_at, topic, partition, record_offset)
) STRICT, WITHOUT ROWID;

-- What the store knows of itself: rows placed before kept_since were deleted to stay under the size cap, those placed
-- before expired_before at the end of their retention.
CREATE TABLE store_state (
  name  TEXT    NOT NULL PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
