/**
 * `istioctl proxy-config ecds`.
 * Source: istio/istio, istioctl/pkg/writer/envoy/configdump/ecds.go.
 */
import { compareText } from "../shared/sorting.js";
import { child, text } from "../snapshot/message.js";
import type { ReferenceList } from "../snapshot/model.js";
import { withJsonNames } from "../snapshot/parse/recase.js";
import { shownReferences } from "./clusters.js";
import type { View, ViewOptions } from "./view.js";

export function ecdsView(section: ReferenceList, options: ViewOptions): View {
  const shown = shownReferences(section, options);
  const filters = shown
    .map(({ reference, content }) => ({
      name: reference.name,
      // the type as it is written: a TypedStruct is not looked into
      typeUrl: text(child(content ?? undefined, "typed_config"), "@type"),
      origin: reference.origin,
    }))
    .sort((a, b) => compareText(a.typeUrl, b.typeUrl) || compareText(a.name, b.name));
  return {
    header: ["ECDS NAME", "TYPE"],
    rows: filters.map(({ name, typeUrl }) => [name, typeUrl.replace(/^type\.googleapis\.com\//, "")]),
    origins: filters.map(({ origin }) => origin),
    padding: 5,
    json: {
      ecdsFilters: shown.flatMap(({ reference: { versionInfo, lastUpdated }, resource, content }) =>
        resource === null || content === null
          ? []
          : [
              {
                ...(versionInfo === "" ? {} : { versionInfo }),
                ecdsFilter: withJsonNames(content, resource.type),
                ...(lastUpdated === null ? {} : { lastUpdated }),
              },
            ],
      ),
    },
    note: "",
  };
}
