import { setTimeout as delay } from "node:timers/promises";
import { type Log, SluiceError, toSluiceError } from "../core/index.ts";
import type { ChangeRecord, Workspace } from "../store/index.ts";

/** Somebody who wants to know what happens. None of its functions may throw. */
export interface ChangeListener {
  /** Told of changes in order, never of one twice. `cursor` is the place after them. */
  onChanges(changes: readonly ChangeRecord[], cursor: string): void;
  /** Told that changes were missed, and of the place where it goes on. */
  onReset(cursor: string): void;
  /** Told that no more comes. */
  onEnd(): void;
}

/** One listener's part in a {@link ChangeHub}. */
export interface Subscription {
  /** Where it begins. */
  readonly cursor: string;
  /** True when the place asked for is gone and the listener should read everything again. */
  readonly reset: boolean;
  leave(): void;
}

/** Tells listeners of the changes in the database. */
export interface ChangeHub {
  /**
   * Adds a listener.
   *
   * @param lastCursor where it was before; null: from now on.
   * @throws QUEUE_FULL when there are too many; SHUTTING_DOWN after `close`; DATABASE_UNAVAILABLE.
   */
  subscribe(listener: ChangeListener, lastCursor: string | null): Promise<Subscription>;
  /** Ends all subscriptions. */
  close(): void;
}

/** What {@link createChangeHub} takes. */
export interface ChangeHubOptions {
  readonly changes: Workspace["changes"];
  readonly log: Log;
  /** Default: 250. */
  readonly pollMs?: number;
  /** Default: 100. */
  readonly mostListeners?: number;
}

/** Full pages that one poll reads; more than that in a quarter of a second is a flood, and listeners are reset instead. */
const mostPages = 4;

interface Place {
  readonly listener: ChangeListener;
  cursor: string;
}

/** A hub that asks the database while there are listeners, once for all of them. */
export function createChangeHub(options: ChangeHubOptions): ChangeHub {
  const { changes, log, pollMs = 250, mostListeners = 100 } = options;
  const places = new Set<Place>();
  const closing = new AbortController();
  let joining = 0;
  let polling = false;

  async function resetAll(): Promise<void> {
    const cursor = await changes.end();
    for (const place of places) {
      place.cursor = cursor;
      place.listener.onReset(cursor);
    }
  }

  /** Reads on from the listener that is furthest back; the others skip what they have. */
  async function readOn(): Promise<void> {
    for (let page = 0; page < mostPages; page += 1) {
      const from = [...places].map((place) => place.cursor).toSorted(compareCursors)[0];
      if (from === undefined) return;
      const { changes: found, cursor, more } = await changes.after(from);
      for (const place of places) deliver(place, place.cursor === from ? found : newer(found, place.cursor), cursor);
      if (!more) return;
    }
    await resetAll();
  }

  async function poll(): Promise<void> {
    polling = true;
    let failed = false;
    while (places.size > 0) {
      try {
        // What happened while the database was away may have gone with a crash: live events do not survive one.
        await (failed ? resetAll() : readOn());
        failed = false;
      } catch (thrown) {
        if (!failed) log.warn("changes.unreadable", { code: toSluiceError(thrown).code });
        failed = true;
      }
      await delay(pollMs, undefined, { signal: closing.signal }).catch(() => undefined);
    }
    polling = false;
  }

  return {
    async subscribe(listener, lastCursor) {
      if (closing.signal.aborted) throw shuttingDown();
      if (places.size + joining >= mostListeners) throw tooMany(mostListeners);
      joining += 1;
      try {
        const kept = lastCursor !== null && (await changes.canResume(lastCursor));
        const place: Place = { listener, cursor: kept ? lastCursor : await changes.end() };
        if (closing.signal.aborted) throw shuttingDown();
        places.add(place);
        if (!polling) void poll();
        const reset = lastCursor !== null && !kept;
        return { cursor: place.cursor, reset, leave: () => void places.delete(place) };
      } finally {
        joining -= 1;
      }
    },
    close() {
      closing.abort();
      for (const { listener } of places) listener.onEnd();
      places.clear();
    },
  };
}

function deliver(place: Place, fresh: readonly ChangeRecord[], cursor: string): void {
  if (fresh.length === 0) return;
  place.cursor = cursor;
  place.listener.onChanges(fresh, cursor);
}

function newer(changes: readonly ChangeRecord[], cursor: string): ChangeRecord[] {
  return changes.filter((change) => compareCursors(change.cursor, cursor) > 0);
}

/** Orders cursors by transaction, then by id. Both are too large for a number. */
function compareCursors(one: string, other: string): number {
  const [tx = 0n, id = 0n] = one.split("-").map(BigInt);
  const [otherTx = 0n, otherId = 0n] = other.split("-").map(BigInt);
  if (tx === otherTx) return id < otherId ? -1 : id > otherId ? 1 : 0;
  return tx < otherTx ? -1 : 1;
}

function tooMany(most: number): SluiceError {
  return new SluiceError("QUEUE_FULL", {
    message: `there are ${most} live streams already`,
    hint: "Close some pages of the dashboard, or read the lists now and then instead.",
  });
}

function shuttingDown(): SluiceError {
  return new SluiceError("SHUTTING_DOWN", { message: "the server is shutting down", hint: "Connect again later." });
}
