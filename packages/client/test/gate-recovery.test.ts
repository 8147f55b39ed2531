import { createClient, type FrameOutcome } from "@sluice/client";
import { createSinkModel } from "@sluice/server";
import { createTensor } from "@sluice/tensor";
import t from "tap";
import { createLinkedSession } from "./linked-session.js";
import { createVirtualTime } from "./virtual-time.js";

t.test("a stream that was slow is not shut out while another one keeps the bandwidth fresh", async (t) => {
  const time = createVirtualTime();
  const sink = createSinkModel();
  const path = { rateBitsPerSecond: 20_000_000, delayMs: 10 };
  const session = createLinkedSession({ time, seed: 1, path, openServedStream: async () => sink });
  const opening = createClient(session.client, { clock: time });
  await time.advance(200);
  const client = await opening;
  const spec = { dtype: "uint8", shape: [12_000], layout: "any" } as const;
  const tensor = createTensor(spec.dtype, spec.shape);
  const open = async () => {
    const stream = client.openStream({ model: "m", spec, codec: "raw", deadlineMs: 100 });
    await time.advance(100);
    return stream;
  };
  const [steady, wavering] = [await open(), await open()];
  let workMs = 150;
  const outcomes: FrameOutcome[] = [];
  const work = () => new Promise<typeof tensor>((resolve) => time.schedule(workMs, () => resolve(tensor)));
  const send = async (frames: number) => {
    outcomes.length = 0;
    for (let i = 0; i < frames; i++) {
      void steady.send(tensor);
      void wavering.send(work).then((outcome) => outcomes.push(outcome));
      await time.advance(50);
    }
  };
  await send(40);
  t.ok(outcomes.filter(({ status }) => status === "dropped").length > 20, "what would be late is dropped");
  workMs = 5;
  await send(40);
  const onTime = outcomes.filter((outcome) => outcome.status === "delivered" && outcome.onTime).length;
  t.ok(onTime > 15, `${onTime} of 40 once it is quick again`);
  client.close();
});
