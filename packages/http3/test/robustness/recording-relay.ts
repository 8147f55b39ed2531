import { createSocket, type Socket } from "node:dgram";

/** Packets that are kept of each direction. */
const MAX_RECORDED = 400;

async function bind(): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.on("error", () => {}); // A port that nobody listens at any more.
  await new Promise<void>((done) => socket.bind(0, "127.0.0.1", done));
  return socket;
}

/** A relay that keeps copies of what it forwards and can put packets of its own in between. */
export class RecordingRelay {
  readonly fromClient: Buffer[] = [];
  readonly fromServer: Buffer[] = [];
  /** Sockets towards the server by the ports of the clients. */
  readonly #backs = new Map<number, Promise<Socket>>();
  #newest: { port: number; back: Socket } | undefined;

  private constructor(
    readonly front: Socket,
    readonly serverPort: number,
  ) {
    front.on("message", async (packet, from) => {
      if (this.fromClient.length < MAX_RECORDED) this.fromClient.push(Buffer.from(packet));
      const back = await this.#backOf(from.port);
      back.send(packet, this.serverPort, "127.0.0.1");
    });
  }

  static async start(serverPort: number): Promise<RecordingRelay> {
    return new RecordingRelay(await bind(), serverPort);
  }

  get port(): number {
    return this.front.address().port;
  }

  /** As if the newest client had sent it. */
  sendToServer(packet: Uint8Array): void {
    this.#newest?.back.send(packet, this.serverPort, "127.0.0.1");
  }

  /** As if the server had sent it to the newest client. */
  sendToClient(packet: Uint8Array): void {
    if (this.#newest !== undefined) this.front.send(packet, this.#newest.port, "127.0.0.1");
  }

  async close(): Promise<void> {
    this.front.close();
    for (const back of await Promise.all(this.#backs.values())) back.close();
  }

  #backOf(port: number): Promise<Socket> {
    const known = this.#backs.get(port);
    if (known !== undefined) return known;
    const made = bind().then((back) => {
      back.on("message", (packet) => {
        if (this.fromServer.length < MAX_RECORDED) this.fromServer.push(Buffer.from(packet));
        this.front.send(packet, port, "127.0.0.1");
      });
      this.#newest = { port, back };
      return back;
    });
    this.#backs.set(port, made);
    return made;
  }
}
