import { gzipSync } from "node:zlib";

import { UserError, messageOf } from "../shared/errors.js";
import { inflate } from "./inflate.js";
import type { Limits } from "./limits.js";
import { looksLikeHeader } from "./tar-framing.js";
import { refuseSize } from "./tar-reader.js";

/** Changes the content and the names of a snapshot's files; `src/redact` has the one that we use. */
export interface Rewriter {
  file(name: string, content: Uint8Array): RewrittenFile;
  /** An entry's, namespace's or pod's name, or the context's, which is the environment's. */
  name(value: string, kind?: "context"): string;
  /** A short text: a reason, an error. */
  text(value: string): string;
}

export type RewrittenFile =
  | {
      readonly outcome: "kept";
      readonly name: string;
      /** In order; together the file. */
      readonly content: readonly Uint8Array[];
      readonly size: number;
      /** Why it is not whole, where it is not. */
      readonly cut?: string;
    }
  | { readonly outcome: "dropped"; readonly name: string; readonly reason: string };

/**
 * Rewrites one file, and one that is deflated on its own (`istio-proxy.log.gz`) as what is in it. An archive in an
 * archive is left out: what its entries are nobody can tell by their names, and it can be redacted by itself.
 */
export async function rewriteFile(
  name: string,
  content: Uint8Array,
  rewriter: Rewriter,
  limits: Limits,
): Promise<RewrittenFile> {
  if (looksLikeHeader(content.subarray(0, tarBlock))) return dropped(name, rewriter, archiveInside);
  if (!isGzip(content)) return rewritten(name, content, rewriter);
  const inner = await inflated(content, limits);
  if (inner.bytes === null) return dropped(name, rewriter, inner.failure);
  if (looksLikeHeader(inner.bytes.subarray(0, tarBlock))) return dropped(name, rewriter, archiveInside);
  if (isGzip(inner.bytes)) return dropped(name, rewriter, "is deflated twice");
  const ending = /\.gz$/i.exec(name)?.[0] ?? "";
  const file = rewritten(name.slice(0, name.length - ending.length), inner.bytes, rewriter);
  const named = { ...file, name: `${file.name}${ending}` };
  if (named.outcome === "dropped") return named;
  const deflated = deflate(named.content);
  return {
    ...named,
    content: [deflated],
    size: deflated.length,
    ...(inner.failure === "" ? {} : { cut: inner.failure }),
  };
}

const tarBlock = 512;
const archiveInside = "is an archive inside the archive; unpack it and redact it by itself";

const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

const dropped = (name: string, rewriter: Rewriter, reason: string): RewrittenFile => ({
  outcome: "dropped",
  name: rewriter.name(name),
  reason,
});

function rewritten(name: string, content: Uint8Array, rewriter: Rewriter): RewrittenFile {
  try {
    return rewriter.file(name, content);
  } catch (error) {
    // what cannot be looked through is not passed on
    return dropped(name, rewriter, `cannot be redacted: ${messageOf(error)}`);
  }
}

/** What a gzip stream holds, as far as it can be had; null when nothing can. `failure` is "" for a sound one. */
async function inflated(
  content: Uint8Array,
  limits: Limits,
): Promise<
  | { readonly bytes: Uint8Array; readonly failure: string }
  | { readonly bytes: null; readonly failure: string }
> {
  const stream = inflate(once(content), limits);
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of stream.chunks) {
      length += chunk.length;
      const refusal = refuseSize(length, limits);
      if (refusal !== null) return { bytes: null, failure: `inflated, it ${refusal}` };
      chunks.push(chunk);
    }
  } catch (error) {
    // a limit that one file breaks costs that file
    if (error instanceof UserError) return { bytes: null, failure: error.message };
    throw error;
  }
  const damage = stream.failure();
  const failure =
    damage !== null
      ? `its gzip stream is damaged: ${damage}`
      : stream.cut()
        ? "its gzip stream is cut off"
        : stream.hasTail()
          ? "bytes that are no gzip follow its gzip stream"
          : "";
  return length === 0 && failure !== ""
    ? { bytes: null, failure }
    : { bytes: Buffer.concat(chunks, length), failure };
}

/** One gzip member that says nothing of when and where it was made. */
function deflate(content: readonly Uint8Array[]): Uint8Array {
  const bytes = gzipSync(Buffer.concat(content));
  bytes[9] = 255; // the operating system: unknown
  return bytes;
}

// eslint-disable-next-line @typescript-eslint/require-await -- an async iterable is what the reader takes
async function* once(chunk: Uint8Array): AsyncGenerator<Uint8Array> {
  yield chunk;
}
