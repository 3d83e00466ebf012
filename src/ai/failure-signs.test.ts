import { describe, expect, it } from "vitest";
import { ProviderFailure, readSigns } from "./failure-signs.ts";

const labelsOf = (error: object) => readSigns(new ProviderFailure(400, JSON.stringify({ error }), {}))?.labels;

describe("the labels of a provider's error, which are shown", () => {
  it("are the words by which it names the error", () => {
    expect(labelsOf({ code: "context_length_exceeded", type: "invalid_request_error" })).toEqual([
      "context_length_exceeded",
      "invalid_request_error",
    ]);
  });

  it.each([
    "mk-f7600f065b1c1ae7033ad748417d837cbf1d",
    "sk-proj-9aB3xQ7",
    "user4711_x",
    "Jane Smith",
    "jane@example.com",
  ])("do not hold %j, which may be a key or somebody's data", (code) => {
    expect(labelsOf({ code, type: "server_error" })).toEqual(["server_error"]);
  });
});
