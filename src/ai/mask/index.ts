export { builtInDetectors } from "./built-in-detectors.ts";
export type { Detector, Finding, KnownValue } from "./finding.ts";
export { knownValuesOf } from "./known-values.ts";
export { createMasker } from "./masker.ts";
export type { Originals } from "./placeholders.ts";
export { createPresidioDetector, type PresidioOptions } from "./presidio.ts";
export { createStreamRestorer, restoreText, restoreValue } from "./restore.ts";
export { normaliseSubject } from "./subjects.ts";
