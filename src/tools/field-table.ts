/**
 * Writes `src/snapshot/parse/field-table.generated.ts`: which fields each Envoy message has and what they hold, taken
 * from the protos that @grpc/grpc-js-xds ships. Run with `npm run field-table`; nothing else uses protobufjs.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import protobuf from "protobufjs";

const home = dirname(createRequire(import.meta.url).resolve("@grpc/grpc-js-xds/package.json"));
/** protoc-gen-validate is imported for options alone, so it is not read. */
const roots = ["envoy-api", "xds", "googleapis"].map((name) => join(home, "deps", name));
/** Packages that shipped protos refer to and that are not shipped: their messages stay unknown. */
const absent = /^(opencensus\.proto|io\.prometheus|opentelemetry\.proto)\./;

const wellKnown: Record<string, string> = {
  Any: ":*",
  Struct: ":?",
  Value: ":?",
  ListValue: ":?",
  Duration: ":!d",
  Int64Value: ":!l",
  UInt64Value: ":!l",
};
/** Stands for an enum of a package that is not shipped: its first value is not known. */
const foreignEnum = "enum of another package";
const wellKnownScalar = /^(Duration|Timestamp|FieldMask|Empty|\w+Value)$/;

/** The name that protobuf's JSON mapping derives from a proto name. */
const derivedJsonName = (name: string): string =>
  name.replace(/_+(.?)/g, (_, next: string) => next.toUpperCase());

/**
 * The table as text, one message a line, sorted by name: `<name>[<predecessor in v2] <field>...`. A field is
 * `name[=jsonName][:kind]`: no kind is a scalar that is told apart from its default (a wrapper, a member of a oneof, an
 * element), `!` one that is not, `!<name>` an enum with its first value, `!d` a Duration, `!l` an integer of 64 bits
 * (`!!l` with the default left out), `*` Any, `?` Struct and the like, `{}` a map of what follows, a number the message of
 * that line (from 0), anything else the full name of a message outside the table.
 */
export function encodeFieldTable(sources: Iterable<string>): string {
  const root = new protobuf.Root();
  for (const source of sources) protobuf.parse(source, root, { keepCase: true });
  const messages = new Map<string, protobuf.Type>();
  const enums = new Map<string, string>();
  const heirs = new Map<string, string>();
  const ancestors = new Map<string, string>();
  const collect = (space: protobuf.NamespaceBase): void => {
    for (const child of space.nestedArray) {
      const name = child.fullName.slice(1);
      if (child instanceof protobuf.Enum) enums.set(name, child.valuesById[0] ?? "");
      if (child instanceof protobuf.Type) {
        messages.set(name, child);
        const ancestor: unknown = child.options?.["(udpa.annotations.versioning).previous_message_type"];
        if (typeof ancestor === "string") {
          heirs.set(ancestor, name);
          ancestors.set(name, ancestor);
        }
      }
      if (child instanceof protobuf.Namespace) collect(child);
    }
  };
  collect(root);
  const enumNames = new Set([...enums.keys()].map((name) => name.slice(name.lastIndexOf(".") + 1)));

  /** The full name of a message or enum. Name lookup is protobuf's: from the inmost scope outwards. */
  const resolve = (owner: string, type: string): string => {
    for (
      let scope = type.startsWith(".") ? "" : owner;
      ;
      scope = scope.slice(0, Math.max(0, scope.lastIndexOf(".")))
    ) {
      const name = (scope && `${scope}.`) + type.replace(/^\./, "");
      if (enums.has(name)) return name;
      // envoy.api.v2 is not shipped, only referred to by other v2 packages: its messages are known by their heirs.
      const heir = heirs.get(name);
      if (heir !== undefined) return heir;
      if (messages.has(name) || name.startsWith("google.protobuf.") || absent.test(name)) return name;
      if (scope) continue;
      if (type.startsWith("api.v2.") && enumNames.has(type.slice(type.lastIndexOf(".") + 1)))
        return foreignEnum;
      throw new Error(`${owner}: cannot resolve ${type}`);
    }
  };
  const fieldsOf = (owner: string): { head: string; type?: string | undefined; scalar: string }[] =>
    (messages.get(owner)?.fieldsArray ?? []).map((field) => {
      const json: unknown = field.options?.["json_name"];
      const renamed = typeof json === "string" && json !== derivedJsonName(field.name) ? `=${json}` : "";
      const isBasic = field.type in protobuf.types.basic;
      const type = isBasic ? undefined : resolve(owner, field.type);
      const hasDefault = !field.map && !field.repeated && field.partOf === null;
      const isLong = field.type in protobuf.types.long;
      const enumeration = type === undefined ? undefined : enums.get(type);
      return {
        head: field.name + renamed + (field.map ? ":{}" : ""),
        type: type === foreignEnum || enumeration !== undefined ? undefined : type,
        scalar: isLong
          ? hasDefault
            ? "!!l"
            : "!l"
          : !hasDefault || type === foreignEnum
            ? ""
            : enumeration === undefined
              ? "!"
              : `!${enumeration}`,
      };
    });

  const used = new Set<string>();
  const use = (name: string): void => {
    if (used.has(name) || !messages.has(name)) return;
    used.add(name);
    for (const { type } of fieldsOf(name)) if (type !== undefined) use(type);
  };
  for (const name of messages.keys()) if (/^(envoy|xds|udpa)\./.test(name)) use(name);
  const names = [...used].sort();
  const lines = new Map(names.map((name, line) => [name, line]));
  const kind = (type: string): string => {
    const short = /^google\.protobuf\.(\w+)$/.exec(type)?.[1];
    if (short === undefined) return `:${lines.get(type) ?? type}`;
    const known = wellKnown[short] ?? (wellKnownScalar.test(short) ? "" : undefined);
    if (known === undefined) throw new Error(`unknown well-known type ${type}`);
    return known;
  };
  return names
    .map((name) => {
      const ancestor = ancestors.get(name);
      const fields = fieldsOf(name).map(({ head, type, scalar }) => {
        const suffix = type === undefined ? (scalar === "" ? "" : `:${scalar}`) : kind(type);
        return head.endsWith("{}") ? head + suffix.slice(1) : head + suffix;
      });
      return [name + (ancestor === undefined ? "" : `<${ancestor}`), ...fields].join(" ");
    })
    .join("\n");
}

/** What the generated file has to hold, given the installed package. */
export function generateFieldTable(): string {
  const sources = roots.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".proto"))
      .map((file) => readFileSync(join(folder, file), "utf8")),
  );
  const { version } = JSON.parse(readFileSync(join(home, "package.json"), "utf8")) as { version: string };
  return `// Generated by src/tools/field-table.ts from the protos of @grpc/grpc-js-xds ${version}; do not edit.
// The protos are those of Envoy (Apache License 2.0), xDS (Apache License 2.0) and googleapis (Apache License 2.0).
export const fieldTable = \`${encodeFieldTable(sources)}\`;
`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const target = fileURLToPath(new URL("../snapshot/parse/field-table.generated.ts", import.meta.url));
  writeFileSync(target, generateFieldTable());
}
