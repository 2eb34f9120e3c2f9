/** What an Any or a TypedStruct of a filter holds, in proto names. */
import { child, isMessage, text, typeOf, unpacked, type Message } from "../../snapshot/message.js";
import { identityForm } from "../../snapshot/parse/identity.js";

export interface TypedConfig {
  /** After the last "/"; "" where there is none. */
  readonly type: string;
  readonly config: Message;
}

/** The Struct inside of a TypedStruct has names as somebody wrote them, so it is read by its type (facts 1.2). */
export function typedConfig(any: Message | undefined): TypedConfig {
  const type = typeOf(any);
  const content = unpacked(any) ?? {};
  if (any === undefined || content === any || type === "") return { type, config: content };
  const named: unknown = JSON.parse(identityForm(JSON.stringify(content), type, Infinity).text);
  return { type, config: isMessage(named) ? named : {} };
}

/** `TypedExtensionConfig`, and every entry of a list of filters: a name and its configuration. */
export const namedConfig = (extension: Message | undefined): TypedConfig & { readonly name: string } => ({
  name: text(extension, "name"),
  ...typedConfig(child(extension, "typed_config")),
});
