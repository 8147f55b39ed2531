/**
 * Listens on a default port, or on a free one where it is taken: nobody has asked for that port.
 * @throws what `listen` throws for another reason
 */
export async function listenOrFree<Listening>(
  port: number,
  listen: (port: number) => Promise<Listening>,
  onTaken: (listening: Listening) => void,
): Promise<Listening> {
  try {
    return await listen(port);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    const listening = await listen(0);
    onTaken(listening);
    return listening;
  }
}
