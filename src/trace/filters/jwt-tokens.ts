/** Where a provider's tokens stand in a request (`source/extensions/filters/http/jwt_authn/extractor.cc`). */
import { children, text, texts, type Message } from "../../snapshot/message.js";
import { cookiesOf, queryParameters } from "../matchers/query-matcher.js";
import { asciiLower } from "../matchers/string-matcher.js";
import { firstHeader, type HeaderList } from "../request.js";

interface HeaderPlace {
  readonly name: string;
  readonly prefix: string;
}

/** Everything that Envoy would read as a token of one of the providers, with what is around a token cut off. */
export function tokensFor(providers: readonly Message[], headers: HeaderList): string[] {
  const parameters = decodedParameters(firstHeader(headers, ":path") ?? "");
  const cookies = cookiesOf(headers);
  const found = providers.flatMap((provider) => [
    ...headerPlaces(provider).flatMap((place) => tokensInHeader(place, headers)),
    ...parameterNames(provider).flatMap((name) => parameters.get(name) ?? []),
    ...texts(provider, "from_cookies").flatMap((name) => cookies.get(name) ?? []),
  ]);
  return [...new Set(found)];
}

/** Unlike the conditions of routes, the filter decodes query parameters; the first of a name counts. */
function decodedParameters(path: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const [name, value] of queryParameters(path)) {
    const decodedName = percentDecoded(name);
    if (!parameters.has(decodedName)) parameters.set(decodedName, percentDecoded(value));
  }
  return parameters;
}

const percentDecoded = (text: string): string =>
  text.replace(/%([0-7][0-9a-f])/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)));

const hasOwnPlaces = (provider: Message): boolean =>
  children(provider, "from_headers").length +
    texts(provider, "from_params").length +
    texts(provider, "from_cookies").length >
  0;

const headerPlaces = (provider: Message): HeaderPlace[] =>
  hasOwnPlaces(provider)
    ? children(provider, "from_headers").map((place) => ({
        name: asciiLower(text(place, "name")),
        prefix: text(place, "value_prefix"),
      }))
    : [{ name: "authorization", prefix: "Bearer " }];

const parameterNames = (provider: Message): string[] =>
  hasOwnPlaces(provider) ? texts(provider, "from_params") : ["access_token"];

/** The prefix may stand anywhere; what follows begins at the first character that a token may have. */
function tokensInHeader({ name, prefix }: HeaderPlace, headers: HeaderList): string[] {
  const values = headers.filter(([own]) => own === name).map(([, value]) => value);
  if (prefix === "") return values;
  return values
    .filter((value) => value.includes(prefix))
    .map((value) => {
      const rest = value.slice(value.indexOf(prefix) + prefix.length);
      const start = rest.search(/[A-Za-z0-9\-_.]/);
      return start < 0 ? value : rest.slice(start);
    });
}

/** Header, payload and signature; what has other sections is refused before anything is verified. */
export const isWellFormed = (token: string): boolean => token.split(".").length === 3;
