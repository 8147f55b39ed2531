// Entry of the thread that owns QUIC, where it is sampled.
import { followSampling } from "./sampler.mjs";

followSampling("worker");
await import("../../../packages/http3/dist/quiche/worker.js");
