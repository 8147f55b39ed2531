// A client in a process of its own that is killed in the middle: node vanishing-client.js URL CERTIFICATE_HASH
import { connectRaw, hello, openMessage, sliceItem } from "./raw-session.js";

const [url, certificateHash] = process.argv.slice(2);
const raw = await connectRaw(url!, certificateHash!);
await raw.say(hello);
await raw.say(openMessage("reliable"));
await raw.waitFor("accept");
const stream = await raw.session.openUnidirectional();
const header = { stream: 1, frame: 0, index: 0, count: 2, payloadBytes: 2_560 };
await stream.write(sliceItem(header, new Uint8Array(1_000)));
process.stdout.write("in the middle\n");
