/** What the child of `sluice dev` tells the process that supervises it. */
export type FromDev =
  /** The project's file that was imported. */
  | { readonly loaded: string }
  /** From now on a change of a file can mend whatever ends the process. */
  | { readonly mendable: true };

/** Tells the supervisor, when there is one. */
export function tellSupervisor(message: FromDev): void {
  // That it is gone is noticed where the wish to end is listened for.
  process.send?.(message, undefined, undefined, () => {});
}
