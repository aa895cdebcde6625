#!/usr/bin/env node
// Plain JavaScript of an old kind: an old Node has to get as far as the sentence that says it is too old.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  process.stderr.write(
    `ericht needs Node 24 or newer: this is ${process.version} (RUNTIME_TOO_OLD). ` +
      'The npm scripts bring their own: run "npm ci" once, then "npm start" or "npm run -s ericht -- help".\n',
  );
  process.exit(2);
}

async function run() {
  const { enableCompileCache } = await import('node:module');
  // Keeps stripped and compiled sources, which makes a start three times as fast. In the user's own folder, because a
  // folder that others can write to would let them put code here.
  const { XDG_CACHE_HOME: cacheHome, HOME: home } = process.env;
  if (cacheHome || home) enableCompileCache(cacheHome ? `${cacheHome}/ericht/node` : `${home}/.cache/ericht/node`);
  const { main } = await import('./main.ts');
  await main(process.argv.slice(2));
}

run();
