import * as grpc from "@grpc/grpc-js";
import { createPending, packFrame, unpackFrame } from "./framing.mjs";

const MAX_MESSAGE_BYTES = 32 * 2 ** 20;
const asBuffer = (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const asIs = (bytes) => bytes;

/** One bidirectional call; messages are bytes as they are, which costs less than any protobuf message would. */
const service = {
  stream: {
    path: "/peers.Tensors/Stream",
    ...{ requestStream: true, responseStream: true },
    ...{ requestSerialize: asBuffer, requestDeserialize: asIs },
    ...{ responseSerialize: asBuffer, responseDeserialize: asIs },
  },
};

/** `windowBytes`: flow-control windows of HTTP/2, of streams and of the connection. Default: the library's. */
function channelOptions({ windowBytes } = {}) {
  return {
    ...{ "grpc.max_receive_message_length": MAX_MESSAGE_BYTES },
    ...{ "grpc.max_send_message_length": MAX_MESSAGE_BYTES },
    ...(windowBytes === undefined ? {} : { "grpc-node.flow_control_window": windowBytes }),
  };
}

export const about = "@grpc/grpc-js, one bidirectional streaming call, bytes as messages, no TLS";

export async function serve({ host, onTensor, options }) {
  const server = new grpc.Server(channelOptions(options));
  server.addService(service, {
    stream(call) {
      call.on("data", async (message) => {
        const { frame, bytes } = unpackFrame(message);
        call.write(packFrame(frame, await onTensor(frame, bytes)));
      });
      call.on("end", () => call.end());
      call.on("error", () => {});
    },
  });
  const port = await new Promise((resolve, reject) => {
    server.bindAsync(`${host}:0`, grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { address: { host, port }, close: () => server.forceShutdown() };
}

export async function connect({ host, port }, { options }) {
  const Client = grpc.makeGenericClientConstructor(service, "Tensors");
  const client = new Client(`${host}:${port}`, grpc.credentials.createInsecure(), channelOptions(options));
  const call = client.stream();
  const pending = createPending();
  call.on("data", (message) => {
    const { frame, bytes } = unpackFrame(message);
    pending.answer(frame, bytes);
  });
  call.on("error", (error) => pending.failAll(error));
  return {
    send(frame, bytes) {
      const answered = pending.wait(frame);
      call.write(packFrame(frame, bytes));
      return answered;
    },
    close() {
      call.cancel();
      client.close();
    },
  };
}
