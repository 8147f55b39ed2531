/** Test vectors as they stand in spec/vectors; spec/vectors/README.md says what each member means. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
export type JsonObject = { readonly [name: string]: Json };

/** What must follow a step of a session; absent members ask for nothing. */
export interface StepExpectation {
  /** Messages that must have been sent since the step before, or in or after the step `since`: the members given must be equal. */
  readonly says?: readonly { readonly kind: string; readonly body: JsonObject; readonly since?: number }[];
  /** Kinds of messages of which none may have been sent. */
  readonly silent?: readonly string[];
  /** Name of the code that the session is closed with; where it is absent the session must be open. */
  readonly closed?: string;
  /** Frames whose slices were sent: together they must be the data, of one byte an element. */
  readonly sent?: readonly {
    readonly stream: number;
    readonly frame: number;
    readonly data: string;
    readonly onStream?: boolean;
    readonly since?: number;
  }[];
  readonly noSlices?: boolean;
  /** Whether the frame that the step offers was taken. */
  readonly admitted?: boolean;
  /** Frames whose results were handed to the application in this step. */
  readonly delivered?: readonly { readonly stream: number; readonly frame: number }[];
  /** (server) Results that were sent on streams of their own since the step before, with the bytes of their payloads. */
  readonly results?: readonly { readonly stream: number; readonly frame: number; readonly bytes: number }[];
  /** Frames that acknowledgements named since the step before, whatever the number of messages. */
  readonly acks?: readonly { readonly stream: number; readonly frames: readonly number[] }[];
}

export interface Vector {
  readonly id: string;
  /** Statements of the specification that the case shows. */
  readonly shows: readonly string[];
  readonly op: string;
  readonly input: JsonObject;
  readonly output?: Json;
  /** Name of the error code, in place of an output. */
  readonly error?: string;
  /** `decoded`: another encoding of the same messages will do. */
  readonly compare?: "decoded";
  /** For `session`: one for each step. */
  readonly expect?: readonly StepExpectation[];
  readonly note?: string;
}

export interface VectorSet {
  readonly set: string;
  readonly about: string;
  readonly cases: readonly Vector[];
}

/** Reads every set of a folder, in the order of their names. */
export async function readVectors(directory: string): Promise<VectorSet[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".json")).sort();
  const files = await Promise.all(
    names.map(
      async (name) => JSON.parse(await readFile(join(directory, name), "utf8")) as Partial<VectorSet>,
    ),
  );
  return files.filter((file): file is VectorSet => Array.isArray(file.cases));
}
