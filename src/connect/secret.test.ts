import { format, inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { secret } from "../core/index.ts";
import { resolveSecret, Secret } from "./secret.ts";

describe("Secret", () => {
  it("prints as its name in every form", () => {
    const token = new Secret("SLACK_BOT_TOKEN", "xoxb-12345678");
    const forms = [
      String(token),
      ["", token].join(""),
      JSON.stringify({ token }),
      inspect(token),
      inspect({ deep: { token } }, { showHidden: true, depth: 9 }),
      format("%s %o %O %j", token, token, token, token),
      JSON.stringify(Object.entries(token)),
      JSON.stringify(Object.assign({}, token)),
    ];
    for (const form of forms) expect(form).toContain("SLACK_BOT_TOKEN");
    expect(forms.join("\n")).not.toContain("xoxb-12345678");
    expect(forms[0]).toBe("[secret:SLACK_BOT_TOKEN]");
    expect(token.reveal()).toBe("xoxb-12345678");
  });
});

describe("resolveSecret", () => {
  it("reads the environment and drops the white space around a value", () => {
    expect(resolveSecret(secret("TOKEN"), { TOKEN: " abc\n" }).reveal()).toBe("abc");
  });

  it.each([{}, { TOKEN: "" }, { TOKEN: " \n" }])("names the variable that is not set", (environment) => {
    expect(() => resolveSecret(secret("TOKEN"), environment)).toThrow(
      expect.objectContaining({ code: "SECRET_MISSING", message: "secret TOKEN is not set" }),
    );
  });
});
