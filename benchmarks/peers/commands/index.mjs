// Every command of `benchmarks/peers.mjs`. Modules are loaded when their command is run.
const lazily = (name) => async (options) => (await import(`./${name}.mjs`)).run(options);

export const commands = {
  impaired: { about: "every system over a narrow, lossy link (needs root)", run: lazily("impaired") },
  bounds: {
    about: "what has to hold over that link, longer, beside those that come near it (needs root)",
    run: lazily("impaired"),
  },
  "end-to-end": {
    about: "correct answers in time of a cut network over such a link (needs root and $SLUICE_DATA)",
    run: lazily("end-to-end"),
  },
  loopback: { about: "every system on loopback as fast as it goes", run: lazily("loopback") },
  scale: { about: "how cost grows with sessions, size, loss and round trip", run: lazily("scale") },
  profile: { about: "where Sluice's time goes, function by function", run: lazily("profile") },
  report: { about: "report, plots and the README's result from what is recorded", run: lazily("report") },
};
