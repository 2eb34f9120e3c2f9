import { describe, expect, it } from "vitest";

import { replacePieces } from "../../src/redact/pieces.js";

const marked = (text: string): string =>
  replacePieces(text, {
    address: (address) => (/^(?:08|02):/.test(address) ? undefined : `[${address}]`),
    name: (name) => `<${name}>`,
  });

describe("a string's pieces", () => {
  it.each([
    ["10.1.2.3:80", "[10.1.2.3]:<80>"],
    ["10.1.0.0/16, 10.1.2.3/16x", "[10.1.0.0/16], [10.1.2.3]/<16x>"],
    ["http://10.1.2.3/8080", "<http>://[10.1.2.3]/<8080>"],
    ["0.0.0.0_9080", "[0.0.0.0]<_9080>"],
    ["udp_10.1.2.3_53", "<udp_>[10.1.2.3]<_53>"],
    ["fd00::1", "[fd00::1]"],
    ["[fd00::1]:80", "[[fd00::1]]:<80>"],
    ["::", "[::]"],
    ["::ffff:10.1.2.3", "[::ffff:10.1.2.3]"],
    ["fd00:10::/32", "[fd00:10::/32]"],
    ["fd00::a_9080", "[fd00::a]<_9080>"],
    ["[fd00__a]_9080", "[[fd00__a]]<_9080>"],
    ["a.b::10.1.2.3:80::cx_total::0", "<a.b>::[10.1.2.3]:<80>::<cx_total>::<0>"],
    ["acme.de::10.1.2.3:80", "<acme.de>::[10.1.2.3]:<80>"],
    ["db::10.1.2.3:80", "<db>::[10.1.2.3]:<80>"],
    ["db::[fd00::1]:80", "<db>::[[fd00::1]]:<80>"],
    ["10.1.2.3.nip.io", "[10.1.2.3].<nip.io>"],
    ["reviews.prod:80", "<reviews.prod>:<80>"],
    ["a|b/c_d", "<a>|<b>/<c_d>"],
    ["größe.例え", "<größe.例え>"],
  ])("%s -> %s", (text, expected) => {
    expect(marked(text)).toBe(expected);
  });

  it.each([
    ["1.2.3", "<1.2.3>"],
    ["1.2.3.4.5", "<1.2.3.4.5>"],
    ["08:46:11", "<08>:<46>:<11>"],
    ["std::vector", "<std>::<vector>"],
    ["02:42:ac:11:00:02", "<02>:<42>:<ac>:<11>:<00>:<02>"],
  ])("%s is no address", (text, expected) => {
    expect(marked(text)).toBe(expected);
  });

  it.each([
    "‹redacted:secret:17-32:0123456789abcdef›",
    "[redacted]",
    "<Redacted>",
    "2026-03-14T08:46:11.545Z",
    "2026-03-14 08:46:11,5",
    "2026-03-14",
  ])("%s is none", (text) => {
    expect(marked(text)).toBe(text);
    expect(marked(`a ${text} b`)).toBe(`<a> ${text} <b>`);
  });

  it("are told where they stand", () => {
    const places: [string, number][] = [];
    replacePieces("10.1.2.3 a b.c", {
      address: () => "1.1.1.1",
      name: (name, start) => {
        places.push([name, start]);
        return name;
      },
    });
    expect(places).toEqual([
      ["a", 9],
      ["b.c", 11],
    ]);
  });
});
