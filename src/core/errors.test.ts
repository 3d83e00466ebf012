import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ErrorCode, errorCodes, SluiceError, toSluiceError } from "./errors.ts";

const codes = Object.keys(errorCodes) as ErrorCode[];

describe("an error", () => {
  it("has the status of its code, and is tried again as the code says, unless it says otherwise", () => {
    expect(new SluiceError("EGRESS_TIMEOUT", { message: "slow" })).toMatchObject({ status: 504, retryable: true });
    expect(new SluiceError("EGRESS_TIMEOUT", { message: "slow", retryable: false }).retryable).toBe(false);
    expect(new SluiceError("NOT_FOUND", { message: "gone" })).toMatchObject({ status: 404, retryable: false });
  });

  it("comes back from its JSON form as it was", () => {
    const parts = fc.record(
      {
        message: fc.string(),
        hint: fc.string(),
        retryable: fc.boolean(),
        retryAfterMs: fc.nat(),
        details: fc.constant({ issues: [{ path: "/a" }] }),
      },
      { requiredKeys: ["message"] },
    );
    fc.assert(
      fc.property(fc.constantFrom(...codes), parts, (code, given) => {
        const error = new SluiceError(code, given);
        const back = SluiceError.fromJSON(JSON.parse(JSON.stringify(error)));
        expect(back.toJSON()).toEqual(error.toJSON());
        expect(back).toMatchObject({ ...given, code });
      }),
    );
  });

  it("keeps its cause, and never in its JSON form", () => {
    const error = new SluiceError("INTERNAL", { message: "x", cause: new Error("secret") });
    expect(error.cause).toBeInstanceOf(Error);
    expect(JSON.stringify(error)).not.toContain("secret");
  });
});

describe("making one of anything thrown", () => {
  it("leaves one as it is", () => {
    const error = new SluiceError("NOT_FOUND", { message: "gone" });
    expect(toSluiceError(error)).toBe(error);
  });

  it("does not copy a foreign message, which may quote a payload", () => {
    const thrown = new TypeError("ada@example.com is not a function");
    expect(toSluiceError(thrown)).toMatchObject({ code: "INTERNAL", message: "unexpected TypeError", cause: thrown });
    expect(toSluiceError("ada@example.com", "STEP_FAILED")).toMatchObject({
      code: "STEP_FAILED",
      message: "unexpected string",
    });
  });

  it("copies it where the caller knows that it is safe", () => {
    expect(toSluiceError(new Error("no space left"), "INTERNAL", true).message).toBe("Error: no space left");
    expect(toSluiceError("text", "INTERNAL", true).message).toBe("unexpected string");
  });
});
