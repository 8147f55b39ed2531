// Every command of `benchmarks/peers.mjs`. Modules are loaded when their command is run.
const lazily = (name) => async (options) => (await import(`./${name}.mjs`)).run(options);

export const commands = {
  impaired: { about: "every system over a narrow, lossy link (needs root)", run: lazily("impaired") },
  loopback: { about: "every system on loopback as fast as it goes", run: lazily("loopback") },
  scale: { about: "how cost grows with sessions, size, loss and round trip", run: lazily("scale") },
  profile: { about: "where Sluice's time goes, function by function", run: lazily("profile") },
};
