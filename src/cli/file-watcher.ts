import { type FSWatcher, statSync, watch } from "node:fs";
import { dirname, join } from "node:path";

/** Editors write a file in several goes. */
const settleMs = 100;

/** Waits for changes of files. */
export interface FileWatcher {
  /** Watches one more file, which need not exist. */
  add(file: string): void;
  /** Resolves with the path of the next file that changes. */
  nextChange(): Promise<string>;
  close(): void;
}

/**
 * Watches files through their folders, so that one that is replaced, as many editors do, stays watched. A file counts as
 * changed when its time of modification is another one.
 */
export function createFileWatcher(files: readonly string[]): FileWatcher {
  const modified = new Map<string, number>();
  const folders = new Map<string, FSWatcher>();
  let change = Promise.withResolvers<string>();
  let settling: NodeJS.Timeout | undefined;

  const look = (file: string): void => {
    const before = modified.get(file);
    if (before === undefined || before === modifiedAt(file)) return;
    clearTimeout(settling);
    settling = setTimeout(() => {
      modified.set(file, modifiedAt(file));
      change.resolve(file);
      change = Promise.withResolvers();
    }, settleMs);
  };
  const watchFolder = (folder: string): void => {
    if (folders.has(folder)) return;
    const watcher = watch(folder, (_event, name) => name !== null && look(join(folder, name)));
    // A folder that is removed is no longer watched; the others are.
    folders.set(
      folder,
      watcher.on("error", () => watcher.close()),
    );
  };
  const add = (file: string): void => {
    if (modified.has(file)) return;
    modified.set(file, modifiedAt(file));
    watchFolder(dirname(file));
  };
  for (const file of files) add(file);
  return {
    add,
    nextChange: () => change.promise,
    close() {
      clearTimeout(settling);
      for (const watcher of folders.values()) watcher.close();
    },
  };
}

/** 0 for a file that is not there. */
function modifiedAt(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
