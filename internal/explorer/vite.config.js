// Bundles src/ into dist/, which the Go package embeds. The page itself is written by Go, from the manifest made here.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { defineConfig } from 'vite';

const out = 'dist';

// Text is stored compressed and only so: the editor is several megabytes, in the binary and on the wire.
const compressed = {
  name: 'compressed',
  async closeBundle() {
    const assets = join(out, 'assets');
    for (const name of await readdir(assets)) {
      if (!/\.(js|css|svg)$/.test(name)) continue;
      const path = join(assets, name);
      await writeFile(`${path}.gz`, gzipSync(await readFile(path), { level: 9 }));
      await rm(path);
    }
  },
};

export default defineConfig(async () => {
  // Not emptyOutDir: dist/ holds a file of its own that keeps go:embed content in a clone without a bundle.
  await rm(join(out, 'assets'), { recursive: true, force: true });
  return {
    base: '/explorer/',
    plugins: [compressed],
    worker: { format: 'es' },
    build: {
      outDir: out,
      emptyOutDir: false,
      manifest: 'manifest.json',
      modulePreload: false, // it would need an inline style or script; the page has neither
      chunkSizeWarningLimit: 8000,
      rollupOptions: {
        input: 'src/main.jsx',
        // "use client" in packages is for server-side rendering; there is none here.
        onwarn: (warning, show) => warning.code === 'MODULE_LEVEL_DIRECTIVE' || show(warning),
      },
    },
  };
});
