/** Longer keys are sentences. */
const longest = 64;
/** An address; a number of a person, however it is spaced; what no name has in it. */
const data = /@|\p{Cc}|\d(?:\D*\d){4}/u;

/**
 * A key of an object, as it may stand in messages and records that are not sealed: `*` in place of one that looks like data
 * which somebody made a key of. A person's name cannot be told from a field's.
 */
export function toFieldName(key: string): string {
  return key.length > longest || data.test(key) ? "*" : key;
}
