import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const compress = promisify(gzip);

export interface PageFile {
  contentType: string;
  body: Buffer;
  gzipped: Buffer;
  etag: string;
}

export interface Page {
  /** Changes when any of the files does. */
  build: string;
  /** By path: /, /app.js, /app.css, /icon.svg. */
  files: Map<string, PageFile>;
}

const WEB = new URL('../web/', import.meta.url);

let built: Promise<Page> | undefined;

/** The page, made once in a process; after a failure the next call tries again. */
export function thePage(): Promise<Page> {
  built ??= buildPage().catch((error) => {
    built = undefined;
    throw error;
  });
  return built;
}

/** Bundles in memory: a checkout needs no build step, and nothing is written. */
async function buildPage(): Promise<Page> {
  const [esbuild, html, icon] = await Promise.all([
    // Loaded here because every verb of the command imports this folder and only a server needs a bundler.
    import('esbuild'),
    readFile(new URL('index.html', WEB), 'utf8'),
    readFile(new URL('icon.svg', WEB)),
  ]);
  const { outputFiles } = await esbuild.build({
    entryPoints: [{ in: fileURLToPath(new URL('main.tsx', WEB)), out: 'app' }],
    outdir: '/',
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    logLevel: 'silent',
    tsconfigRaw: {},
  });
  // Its helper process would otherwise keep 20 MB for nothing on a small board.
  await esbuild.stop();
  const output = (extension: string) => {
    const file = outputFiles.find(({ path }) => path.endsWith(extension));
    return Buffer.from(file?.contents ?? []);
  };
  const script = output('.js');
  const style = output('.css');
  const buildId = createHash('sha256').update(html).update(script).update(style).digest('base64url').slice(0, 12);
  const files = await Promise.all([
    pageFile('/', 'text/html; charset=utf-8', Buffer.from(html.replaceAll('{build}', buildId))),
    pageFile('/app.js', 'text/javascript; charset=utf-8', script),
    pageFile('/app.css', 'text/css; charset=utf-8', style),
    pageFile('/icon.svg', 'image/svg+xml', icon),
  ]);
  return { build: buildId, files: new Map(files) };
}

async function pageFile(path: string, contentType: string, body: Buffer): Promise<[string, PageFile]> {
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 16)}"`;
  return [path, { contentType, body, gzipped: await compress(body), etag }];
}
