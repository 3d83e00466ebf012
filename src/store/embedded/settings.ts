/** What the command line of the server depends on. */
export interface ServerSettings {
  readonly data: string;
  readonly port: number;
}

/**
 * Given on the command line and not in postgresql.conf, so that an older cluster gets them with the next version too.
 * Whoever wants to tune Postgres runs one of his own (SLUICE_DATABASE_URL).
 */
const settings = {
  // Acknowledged means on disk.
  fsync: "on",
  synchronous_commit: "on",
  full_page_writes: "on",
  // Reached only from this machine, and without a socket file, whose path may not be longer than 107 bytes.
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  // New tables grow fast: plans made while they were empty must not live for a minute.
  autovacuum_naptime: "10s",
  // Rows are looked up by key, which needs no fine statistics: with the usual 100, they took a fifth of a core in a flood.
  default_statistics_target: "10",
  // A small footprint: no process that only waits, no memory that a queue does not need.
  max_connections: "100",
  shared_buffers: "64MB",
  huge_pages: "off",
  jit: "off",
  io_method: "sync",
  max_wal_senders: "0",
  max_logical_replication_workers: "0",
  // The log must not hold what people sent: no messages of failed statements (they quote values), no details.
  log_destination: "stderr",
  logging_collector: "off",
  log_min_messages: "log",
  log_min_error_statement: "panic",
  log_error_verbosity: "terse",
  log_checkpoints: "off",
  log_line_prefix: "%m [%p] ",
  timezone: "UTC",
  log_timezone: "UTC",
} as const;

/** The arguments of the `postgres` program. */
export function serverArguments({ data, port }: ServerSettings): string[] {
  const all = Object.entries({ ...settings, port: String(port) });
  return ["-D", data, ...all.flatMap(([name, value]) => ["-c", `${name}=${value}`])];
}
