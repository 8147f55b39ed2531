/** What the page asks of the server that it came from. */
import type { AgreedStatistics } from "@sluice/client";
import { decodeStatistics, type EncodedStatistics } from "@sluice/tensor";
import type { ClipImages, ModelSummary, ServerSummary } from "../model-summary.js";
import type { NetworkSettings } from "./settings.js";

async function ask(path: string, options?: RequestInit): Promise<Response> {
  const response = await fetch(path, options);
  if (!response.ok) throw new Error(`${path}: ${(await response.text()) || response.status}`);
  return response;
}

const readJson = async <T>(path: string): Promise<T> => (await (await ask(path)).json()) as T;

const queryOf = (model: string, further: Readonly<Record<string, string>> = {}) =>
  new URLSearchParams({ model, ...further }).toString();

export const fetchModels = (): Promise<readonly string[]> => readJson("/api/models");
/** An unknown name gives the first model. */
export const fetchModel = (model: string): Promise<ModelSummary> => readJson(`/api/model?${queryOf(model)}`);
export const fetchServer = (): Promise<ServerSummary> => readJson("/api/server");
export const fetchClip = (model: string): Promise<ClipImages | null> =>
  readJson(`/api/clip?${queryOf(model)}`);

/** The client's part of the network; an empty cut: all of it. */
export async function fetchPart(model: string, cut: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await ask(`/api/part?${queryOf(model, { cut })}`)).arrayBuffer());
}

/** `undefined`: the cut was never calibrated. */
export async function fetchStatistics(model: string, cut: string): Promise<AgreedStatistics | undefined> {
  const found = await readJson<{ value: EncodedStatistics; hash: string } | null>(
    `/api/statistics?${queryOf(model, { cut })}`,
  );
  if (!found) return undefined;
  const hash = Uint8Array.from(found.hash.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  return { value: decodeStatistics(found.value), hash };
}

/** `undefined`: it is not kept any more. */
export async function fetchView(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const response = await fetch(`/api/view?name=${encodeURIComponent(name)}`);
  return response.ok ? new Uint8Array(await response.arrayBuffer()) : undefined;
}

/** What the simulated network says of itself. */
export interface PathState {
  readonly port: number;
  readonly packets: number;
  readonly lost: number;
}

/** Sets this page's simulated network, and keeps it alive. */
export async function setPath(page: string, network: NetworkSettings): Promise<PathState> {
  const { delayMs, lossPercent, burst, rateBitsPerSecond, isBlocked } = network;
  const body = JSON.stringify({ delayMs, loss: isBlocked ? 1 : lossPercent / 100, burst, rateBitsPerSecond });
  const headers = { "content-type": "application/json" };
  const response = await ask(`/api/path/${page}`, { method: "PUT", headers, body });
  return (await response.json()) as PathState;
}
