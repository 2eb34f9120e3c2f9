import stringWidth from "string-width";
import { describe, expect, it } from "vitest";

import { textTable } from "../../src/shared/text-table.js";

const lines = (table: string): string[] => table.split("\n");

describe("textTable", () => {
  it("makes a column as wide as its longest cell and five blanks", () => {
    expect(
      textTable(
        ["NAME", "CDS"],
        [
          ["productpage", "SYNCED"],
          ["a", "STALE"],
        ],
      ),
    ).toBe(["NAME            CDS", "productpage     SYNCED", "a               STALE", ""].join("\n"));
  });

  it("takes another padding", () => {
    expect(textTable(["A", "B"], [["1", "2"]], { padding: 1 })).toBe("A B\n1 2\n");
  });

  it("never pads the last cell of a line", () => {
    const [, short = "", long = ""] = lines(
      textTable(
        ["A", "B"],
        [
          ["1", "x"],
          ["1", "xxxxxxxx"],
        ],
      ),
    );
    expect(short).toBe("1     x");
    expect(long).toBe("1     xxxxxxxx");
  });

  it("keeps the padding before an empty last cell, as Go's tabwriter does", () => {
    expect(lines(textTable(["A", "B"], [["1", ""]]))[1]).toBe("1     ");
  });

  it("gives an empty column the width of the padding", () => {
    expect(textTable(["", "B"], [["", "x"]])).toBe("     B\n     x\n");
  });

  it("prints the header alone where there are no rows", () => {
    expect(textTable(["NAME", "CDS"], [])).toBe("NAME     CDS\n");
  });

  it("counts columns on the screen, not characters", () => {
    const [header = "", wide = "", plain = ""] = lines(
      textTable(
        ["NAME", "X"],
        [
          ["中文", "1"],
          ["abcd", "1"],
        ],
      ),
    );
    expect(wide).toBe("中文     1");
    expect(plain).toBe("abcd     1");
    expect(stringWidth(wide)).toBe(stringWidth(header));
  });

  it.each([
    { what: "a colour", name: "\u001b[31mred", shows: "\\u001b[31mred" },
    { what: "a line break", name: "two\nlines", shows: "two\\nlines" },
    { what: "a turned line", name: "\u202eevil", shows: "\\u202eevil" },
  ])("shows $what in a name instead of obeying it", ({ name, shows }) => {
    expect(lines(textTable(["NAME", "X"], [[name, "1"]]))[1]).toBe(`${shows}     1`);
  });

  it("paints cells without moving the columns, and leaves the header alone", () => {
    const painted: string[] = [];
    const table = textTable(
      ["A", "B"],
      [
        ["1", "22"],
        ["333", "4"],
      ],
      {
        paint: (text, row, column) => {
          painted.push(`${row}/${column} ${text}`);
          return `\u001b[31m${text}\u001b[39m`;
        },
      },
    );
    expect(painted).toEqual(["0/0 1", "0/1 22", "1/0 333", "1/1 4"]);
    // eslint-disable-next-line no-control-regex -- the colours are what is taken away
    expect(table.replace(/\u001b\[\d+m/g, "")).toBe(
      textTable(
        ["A", "B"],
        [
          ["1", "22"],
          ["333", "4"],
        ],
      ),
    );
    expect(lines(table)[0]).toBe("A       B");
  });
});
