import { describe, expect, it } from "vitest";

import { BundleFormatError, messageOf, UserError } from "../../src/shared/errors.js";

describe("a BundleFormatError", () => {
  it("names entry and field, and is an error that the user can act on", () => {
    const error = new BundleFormatError("istiod/syncz", "/0/proxy", "must be string");
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({
      name: "BundleFormatError",
      message: "istiod/syncz: /0/proxy must be string",
      entry: "istiod/syncz",
      pointer: "/0/proxy",
      detail: "must be string",
    });
  });
  it("about a whole entry names no field", () => {
    expect(new BundleFormatError("istiod/syncz", "", "is empty").message).toBe("istiod/syncz: is empty");
  });
});

describe("messageOf", () => {
  it("is the message of an error", () => {
    expect(messageOf(new UserError("no"))).toBe("no");
    expect(messageOf(new TypeError("no"))).toBe("no");
  });
  it.each([
    { thrown: "no", message: "no" },
    { thrown: 7, message: "7" },
    { thrown: undefined, message: "undefined" },
  ])("is the text of anything else that was thrown: $thrown", ({ thrown, message }) => {
    expect(messageOf(thrown)).toBe(message);
  });
});
