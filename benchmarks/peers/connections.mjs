/** Opening at once: a server looks at each new client with care. */
const OPENING = 8;

/**
 * `count` connections as one: frames go round. Each has the frames of its own turn in order.
 * @param open resolves to one connection
 */
export async function openConnections(count, open) {
  const connections = [];
  while (connections.length < count) {
    const more = Math.min(OPENING, count - connections.length);
    connections.push(...(await Promise.all(Array.from({ length: more }, open))));
  }
  if (count === 1) return connections[0];
  return {
    send: (frame, bytes, options) => connections[frame % count].send(frame, bytes, options),
    close() {
      for (const connection of connections) connection.close();
    },
  };
}
