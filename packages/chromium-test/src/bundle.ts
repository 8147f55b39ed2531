import { build, type Plugin } from "esbuild";

export interface BundleOptions {
  /** Code of the entry, which imports as a file in `directory` does. */
  readonly code: string;
  readonly directory: string;
  /** Modules that stay imports. */
  readonly external?: readonly string[];
  readonly plugins?: readonly Plugin[];
}

export interface Bundle {
  /** By path: `/entry.js`, and the chunks that are loaded when they are needed. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Paths of what is loaded at once: the entry and what it imports statically. */
  readonly initial: readonly string[];
}

/** Bundles for browsers as an application would: ES modules, split where `import()` stands, minified. */
export async function bundle(options: BundleOptions): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: options.code, resolveDir: options.directory, sourcefile: "entry.js" },
    ...{ bundle: true, splitting: true, minify: true, format: "esm", platform: "browser", target: "es2022" },
    ...{
      write: false,
      metafile: true,
      legalComments: "none",
      outdir: "/",
      entryNames: "entry",
      logLevel: "silent",
    },
    external: [...(options.external ?? [])],
    plugins: [...(options.plugins ?? [])],
  });
  const baseOf = (path: string) => `/${path.slice(path.lastIndexOf("/") + 1)}`;
  const files = new Map(outputFiles.map(({ path, contents }) => [baseOf(path), contents]));
  const imports = new Map(
    Object.entries(metafile.outputs).map(([path, output]) => [
      baseOf(path),
      output.imports.filter(({ kind, external }) => kind === "import-statement" && !external),
    ]),
  );
  const initial = new Set(["/entry.js"]);
  for (const path of initial) for (const found of imports.get(path) ?? []) initial.add(baseOf(found.path));
  return { files, initial: [...initial] };
}
