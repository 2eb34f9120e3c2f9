import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import Handlebars from "handlebars";

/** What the page is made of, read from the package's `templates/` folder. */
export interface PageTemplates {
  readonly css: string;
  readonly js: string;
  readonly render: (view: object) => string;
}

/** Right for src/report/ and for dist/program/, where the bundle is: both are two levels below the package. */
const folder = new URL("../../templates/", import.meta.url);

/** A browser turns CRLF into LF before it hashes an inline block, and a checkout may have made CRLF. */
const readText = (file: URL | string): string => readFileSync(file, "utf8").replaceAll("\r\n", "\n");

const read = (name: string): string => readText(new URL(name, folder));

/** The look of what diff2html draws; ours comes after it. Wherever the package is installed, it is found as its code is. */
const diffCss = (): string =>
  readText(createRequire(import.meta.url).resolve("diff2html/bundles/css/diff2html.min.css"));

let loaded: PageTemplates | undefined;

export function pageTemplates(): PageTemplates {
  return (loaded ??= load());
}

function load(): PageTemplates {
  const handlebars = Handlebars.create();
  for (const name of ["if", "unless", "each"]) refuseMissing(handlebars, name);
  for (const file of readdirSync(new URL("partials/", folder))) {
    if (file.endsWith(".hbs")) {
      handlebars.registerPartial(file.slice(0, -".hbs".length), read(`partials/${file}`));
    }
  }
  const page = handlebars.compile(read("page.hbs"), {
    strict: true,
    knownHelpersOnly: true,
    preventIndent: true, // the indentation of a partial's call must not enter the lines of a <pre>
  });
  return {
    css: `${diffCss()}\n${read("report.css")}`,
    js: read("report.js"),
    render: (view) => page(view),
  };
}

/** `strict` lets a missing field through where it is a helper's argument: there too it is an error, not a blank. */
function refuseMissing(handlebars: typeof Handlebars, name: string): void {
  const helper = handlebars.helpers[name];
  if (helper === undefined) throw new Error(`Handlebars has no helper "${name}"`);
  handlebars.registerHelper(
    name,
    function (this: unknown, ...args: Parameters<Handlebars.HelperDelegate>): unknown {
      if (args[0] === undefined) throw new Error(`#${name}: the field is not defined`);
      return helper.apply(this, args) as unknown;
    },
  );
}
