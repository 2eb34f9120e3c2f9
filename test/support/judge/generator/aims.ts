/** What a generated request was made for, against what Envoy did: true by the way in which it was made. */
import type { Decision } from "../decision.js";
import type { GeneratedTrial } from "./generated-trial.js";

/** Details of what is answered before a route is looked for, or whatever the route is. */
const isAboutRoutes = ({ status, details }: Decision): boolean =>
  status !== null &&
  !/^(?:path_normalization_failed|http[12]\.|missing_host|absolute_path|low_version)/.test(details);

/** Sentences, one for each request that did not go where it had to. */
export function unmetAims(trial: GeneratedTrial, decisions: readonly Decision[]): string[] {
  if (!trial.isPlain) return [];
  return trial.aims.flatMap(({ aim, miss }, index) => {
    const decision = decisions[index];
    if (decision === undefined || !isAboutRoutes(decision)) return [];
    const said = `request ${index} of seed ${trial.seed} ${JSON.stringify(trial.requests[index])}`;
    if (miss?.route === decision.route)
      return [`${said} takes ${miss.route}, whose conditions it does not meet`];
    if (decision.virtualHost !== aim?.virtualHost) return [];
    const taken = decision.route === null ? Infinity : trial.routeNames.indexOf(decision.route);
    return taken <= trial.routeNames.indexOf(aim.route)
      ? []
      : [`${said} takes ${decision.route ?? "no route"} and not ${aim.route}, whose conditions it meets`];
  });
}
