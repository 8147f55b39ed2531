// Streams 30 pictures to `sluice serve` and prints what they are taken for: node node.mjs [http://127.0.0.1:9464]
import { createClient } from "@sluice/client";
import { discover } from "@sluice/client/browser";
import { connect } from "@sluice/http3";
import { createTensor } from "@sluice/tensor";

const { url, certificateHashes } = await discover(process.argv[2] ?? "http://127.0.0.1:9464");
const client = await createClient(await connect(url, { certificateHashes }));
const shape = [1, 28, 28];
const stream = await client.openStream({ model: "fashion", spec: { dtype: "uint8", shape, layout: "chw" } });

for (let frame = 0; frame < 30; frame++) {
  // A bright rectangle that grows: a pullover to the network, sooner or later.
  const pixels = Uint8Array.from({ length: 28 * 28 }, (_, i) =>
    Math.abs((i % 28) - 14) < frame / 2 ? 200 : 0,
  );
  const outcome = await stream.send(createTensor("uint8", shape, pixels, "chw"));
  const said = outcome.status === "delivered" ? outcome.answer.predictions[0].description : outcome.reason;
  console.log(frame, outcome.status, said);
}
client.close();
