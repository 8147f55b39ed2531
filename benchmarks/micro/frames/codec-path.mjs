import { pathToFileURL } from "node:url";

/** What datagrams of 1,200 B leave for a slice. */
const MAX_PAYLOAD_BYTES = 1_176;
const FRAME_MS = 1000 / 30;

/**
 * The way of a case's frames through the codec of one checkout: each function handles the next frame, over and over.
 * @param root folder of a built checkout, with a slash at the end
 */
export async function openCodecPath(root, { spec, codec, tensors, statistics }) {
  const load = (path) => import(pathToFileURL(`${root}packages/${path}`).href);
  const { planStream } = await load("client/dist/stream-plan.js");
  const { createTensorReceiver } = await load("server/dist/tensor-receiver.js");
  const { createSpareTensors } = await load("server/dist/spare-tensors.js");
  const hash = Uint8Array.of(1);
  const agreed = statistics === undefined ? {} : { statistics: { value: statistics, hash } };
  const plan = await planStream(
    { spec, ...(codec === undefined ? {} : { codec }), ...agreed, model: "" },
    true,
  );
  const network = { run: async () => [], letsGo: true };
  const served = { network, answer: () => new Uint8Array(0), ...agreed };
  const sent = tensors.map((data, frame) => {
    const { slices } = plan.encoder.encode({ ...spec, data }, MAX_PAYLOAD_BYTES, { frame });
    return slices.map((slice) => ({ ...slice, payload: slice.payload.slice() }));
  });
  let encoded = 0;

  function encode() {
    const frame = encoded++;
    plan.encoder.encode({ ...spec, data: tensors[frame % tensors.length] }, MAX_PAYLOAD_BYTES, { frame });
  }

  /** Decodes and conceals frames of which so many slices are missing, other ones in each. */
  async function openReceive(missing) {
    const receiver = await createTensorReceiver(plan.wire, served, createSpareTensors());
    let frame = 0;
    const receive = () => {
      const all = sent[frame % sent.length];
      const step = Math.floor(all.length / Math.max(1, missing));
      const lost = new Set(Array.from({ length: missing }, (_, i) => (frame * 7 + i * step) % all.length));
      const slices = all.filter((_, i) => !lost.has(i));
      const received = receiver.receive({ frame: frame++, slices }, () => frame * FRAME_MS);
      const { tensor } = received;
      receiver.release(received);
      return tensor;
    };
    return receive;
  }

  return { encode, openReceive, slices: sent[0].length, wire: plan.wire, sent };
}
