/**
 * What the members of one object say about each other. JSON members come in any order, so this is decided at the end of
 * an object; a member that turns out to be a secret is then walked once more, at a place that takes everything.
 */
import { configMapData, secretData, secretMetadata } from "./kubernetes-fields.js";
import { everything, plain, type KeyName, type NamedValues, type Place } from "./places.js";

/** A member that its siblings may have something to say about. */
export interface HeldMember {
  readonly key: KeyName;
  /** Of a string; null for any other value. */
  readonly text: string | null;
}

export interface Verdict<Member extends HeldMember> {
  readonly member: Member;
  /** Where the member stands in truth. Holds no place that asks siblings, so that a second walk is the last one. */
  readonly place: Place;
}

/** Whether members of objects at this place have to be held until the object's end. */
export const asksSiblings = (place: Place): boolean => place.named !== null || place.mayRefer;

/**
 * @param members those with a role, in their order
 * @param isWhole whether the object was read to its end: a name or kind may be missing from one that was not
 */
export function verdicts<Member extends HeldMember>(
  place: Place,
  members: readonly Member[],
  isWhole: boolean,
): Verdict<Member>[] {
  if (place.named === null) return referenceNames(members);
  const found = [
    ...namedValues(place.named, members, isWhole),
    ...kubernetesData(members, isWhole),
    ...webKeys(members),
  ];
  if (found.length < 2) return found;
  // the first verdict on a member holds
  const judged = new Set<Member>();
  return found.filter(({ member }) => {
    if (judged.has(member)) return false;
    judged.add(member);
    return true;
  });
}

const withRole = <Member extends HeldMember>(members: readonly Member[], role: string): Member[] =>
  members.filter(({ key }) => key.siblingRole === role);

/** `token_secret: {name, sds_config}`: the name of a secret that is fetched from elsewhere is none. */
function referenceNames<Member extends HeldMember>(members: readonly Member[]): Verdict<Member>[] {
  if (withRole(members, "reference").length === 0) return [];
  return members.filter(({ key }) => key.folded === "name").map((member) => ({ member, place: plain }));
}

/** `{name: "DB_PASSWORD", value: "..."}`, `{key: "authorization", raw_value: "..."}` and their like. */
function namedValues<Member extends HeldMember>(
  { isSecret, isHarmless, rule }: NamedValues,
  members: readonly Member[],
  isWhole: boolean,
): Verdict<Member>[] {
  const values = withRole(members, "value");
  if (values.length === 0) return [];
  const names = withRole(members, "name").flatMap(({ text }) => (text === null ? [] : [text]));
  if (isHarmless !== null && names.length > 0 && names.every(isHarmless))
    return values.map((member) => ({ member, place: plain }));
  if (!names.some(isSecret) && (isWhole || names.length > 0)) return [];
  const place = everything(rule);
  return values.map((member) => ({ member, place }));
}

/** Objects of Kubernetes: `kind` says what `data` is. In a list that an API server printed, the kind is missing. */
function kubernetesData<Member extends HeldMember>(
  members: readonly Member[],
  isWhole: boolean,
): Verdict<Member>[] {
  const data = withRole(members, "data");
  const kinds = withRole(members, "kind").map(({ text }) => text);
  if (data.length === 0 && kinds.length === 0) return [];
  const metadata = withRole(members, "metadata");
  if (kinds.includes("Secret"))
    return [
      ...data.map((member) => ({ member, place: secretData })),
      ...metadata.map((member) => ({ member, place: secretMetadata })),
    ];
  if (kinds.includes("ConfigMap")) return data.map((member) => ({ member, place: configMapData }));
  const isUnknown = kinds.length === 0 && (metadata.length > 0 || !isWhole);
  return isUnknown ? data.map((member) => ({ member, place: secretData })) : [];
}

/** A JSON Web Key: one with `kty` has its secret numbers in members of one or two letters. */
function webKeys<Member extends HeldMember>(members: readonly Member[]): Verdict<Member>[] {
  if (!members.some(({ key }) => key.folded === "kty")) return [];
  return withRole(members, "jwk").map((member) => ({ member, place: everything("secret") }));
}
