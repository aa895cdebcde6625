import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';

/** A package that has no part in what a board does, and the sentence for whoever meets it all the same. */
const LEFT_OUT: Record<string, string> = {
  '@grpc/grpc-js': 'gRPC to a Docker builder is not part of the bundle for boards',
  '@grpc/proto-loader': 'gRPC to a Docker builder is not part of the bundle for boards',
  protobufjs: 'gRPC to a Docker builder is not part of the bundle for boards',
  systeminformation: 'systeminformation is asked where there is no /proc, and boards have one',
  ssh2: 'a Docker Engine over ssh is not part of the bundle for boards: name its socket in docker.socket',
  'thread-stream': 'logs go to standard output, without a thread of their own',
  // pino only asks whether it is on the main thread, to which a stub says yes.
  worker_threads: 'the bundle for boards has no threads of its own',
};

/** CommonJS packages ask for these in a module, too. */
const COMMONJS_NAMES = [
  "import { createRequire as makeRequire } from 'node:module';",
  'const require = makeRequire(import.meta.url);',
  'const { filename: __filename, dirname: __dirname } = import.meta;',
].join('\n');

export interface Program {
  /** One file, an ES module; it looks for i2c.node beside itself and for package.json in the folder above. */
  code: Uint8Array;
  /** Folders of the packages that went into it. */
  packages: string[];
}

/** The `ericht` command as a board needs it, in one file. */
export async function bundleProgram(projectDirectory: string): Promise<Program> {
  const result = await build({
    entryPoints: [join(projectDirectory, 'cli/ericht.js')],
    absWorkingDir: projectDirectory,
    bundle: true,
    minify: true,
    // Stack traces and log lines name classes and functions.
    keepNames: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    legalComments: 'none',
    banner: { js: COMMONJS_NAMES },
    define: { 'process.env.NODE_ENV': '"production"' },
    plugins: [verbsOfBoards(projectDirectory), addonBesideProgram, withoutUnused, onlyEnglish, builtinsWhenUsed],
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  return { code: result.outputFiles[0]!.contents, packages: packagesIn(projectDirectory, result.metafile) };
}

const verbsOfBoards = (projectDirectory: string): Plugin => ({
  name: 'verbs-of-boards',
  setup({ onLoad }) {
    const file = join(projectDirectory, 'cli/board-verb-modules.ts');
    onLoad({ filter: /[/\\]cli[/\\]verb-modules\.ts$/ }, async () => {
      return { contents: await readFile(file, 'utf8'), loader: 'ts', resolveDir: dirname(file) };
    });
  },
});

/** i2c-bus looks for its addon in the folders of a package, which isn't there any more. */
const addonBesideProgram: Plugin = {
  name: 'addon-beside-program',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^bindings$/ }, () => ({ path: 'bindings', namespace: 'addon' }));
    onLoad({ filter: /.*/, namespace: 'addon' }, () => ({
      contents: 'module.exports = (name) => require(__dirname + "/" + name);',
      loader: 'js',
    }));
  },
};

const withoutUnused: Plugin = {
  name: 'without-unused',
  setup({ onResolve, onLoad }) {
    const names = Object.keys(LEFT_OUT).map((name) => name.replace('/', '\\/'));
    onResolve({ filter: new RegExp(`^(?:${names.join('|')})$`) }, ({ path }) => ({ path, namespace: 'left-out' }));
    onLoad({ filter: /.*/, namespace: 'left-out' }, ({ path }) => ({
      contents: stubOf(LEFT_OUT[path]!),
      loader: 'js',
    }));
  },
};

/** The sentences of zod in fifty languages are a sixth of the program. */
const onlyEnglish: Plugin = {
  name: 'only-english',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]zod[/\\]v4[/\\]locales[/\\]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
      loader: 'js',
    }));
  },
};

/** Parts of Node that most boards never need: TLS, HTTPS and child processes are 3 MB of a small process. */
const LATE = /^(?:node:)?(tls|https|child_process|zlib)$/;

/** They are loaded when something in them is first used, not when a file that might use them is. */
const builtinsWhenUsed: Plugin = {
  name: 'builtins-when-used',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: LATE }, ({ path }) => ({ path: path.replace('node:', ''), namespace: 'late' }));
    onLoad({ filter: /.*/, namespace: 'late' }, async ({ path }) => ({
      contents: lateModule(path, Object.keys(await import(`node:${path}`))),
      loader: 'js',
    }));
  },
};

/** What inherits from it may have parts of its own, as docker-modem makes them. */
function lateModule(name: string, keys: string[]): string {
  const parts = keys.filter((key) => key !== 'default').map((key) => `['${key}']: late('${key}')`);
  return `const late = (key) => ({
      enumerable: true,
      get: () => process.getBuiltinModule('${name}')[key],
      set(value) { Object.defineProperty(this, key, { value, writable: true, configurable: true, enumerable: true }); },
    });
    module.exports = Object.defineProperties({}, { ${parts.join(', ')} });`;
}

/** Can be loaded and looked into; using it throws. A class that extends a part of it can be made. */
function stubOf(sentence: string): string {
  const thrower = `function () { throw new Error(${JSON.stringify(sentence)}); }`;
  return `const stub = new Proxy(${thrower}, { get: (target, key) => (key === 'prototype' ? target.prototype : stub) });
    module.exports = stub;`;
}

function packagesIn(projectDirectory: string, { inputs }: Metafile): string[] {
  const folders = Object.keys(inputs).map((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0]);
  const known = [...new Set(folders)].filter((folder) => folder !== undefined);
  return known.toSorted().map((folder) => resolve(projectDirectory, folder));
}
