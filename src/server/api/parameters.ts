import { z } from "zod";

/*
 * What paths and queries may carry. All of it reaches the database as text, which cannot hold NUL, and may be named in an
 * error, so it is kept to what identifiers are made of.
 */

/** An identifier such as `run_01k9...`. */
export const Identifier = z.string().regex(/^[a-z0-9_]{1,64}$/, "is not an identifier");

/** The name of a flow. */
export const FlowName = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, "is not a flow's name");

/** A name that people chose: letters and digits of any script, spaces, and `. _ -`. */
export const GivenName = z.string().regex(/^[\p{L}\p{N}][\p{L}\p{M}\p{N} ._-]{0,63}$/u, "is not a usable name");

/** What failures of one kind have in common. */
export const Fingerprint = z.string().regex(/^[0-9a-f]{16}$/, "is not a fingerprint");

/** The name of a signal. The gateway makes it of the name of a step, which may have any characters but control characters. */
export const SignalName = z.string().regex(/^\P{Cc}{1,200}$/u, "is not the name of a signal");
